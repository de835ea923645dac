import AWSProtocol
import Keys

extension KMSService {
    func answerGrants(_ call: KeyCall, _ input: KMSInput) async throws -> AWSReply {
        let isDryRun = try input.isSet("DryRun")
        switch call.operation {
        case .createGrant:
            let made = try await keys.createGrant(
                call, key: try input.key(), try input.grant(), grantTokens: try input.grantTokens(), isDryRun: isDryRun)
            return .json(["GrantToken": .string(made.token), "GrantId": .string(made.id)])
        case .listGrants:
            let page = try await keys.listGrants(
                call, key: try input.key(), grantID: try input.optionalGrantID(),
                grantee: try input.principalOrService("GranteePrincipal", "GranteeServicePrincipal"),
                limit: try input.limit(default: 50, maximum: 100), marker: try input.marker())
            return .json(page.json("Grants") { $0.json })
        case .listRetirableGrants:
            guard let retiring = try input.principalOrService("RetiringPrincipal", "RetiringServicePrincipal") else {
                throw AWSError.validation(field: "RetiringPrincipal", rule: "Member must not be null")
            }
            let page = try await keys.listRetirableGrants(
                call, retiring: retiring,
                limit: try input.limit(default: 50, maximum: 100), marker: try input.marker())
            return .json(page.json("Grants") { $0.json })
        case .retireGrant:
            try await keys.retireGrant(call, try reference(input), isDryRun: isDryRun)
            return .empty
        default:
            try await keys.revokeGrant(call, key: try input.key(), grantID: try input.grantID(), isDryRun: isDryRun)
            return .empty
        }
    }

    /// A token, or the key's ARN and the grant's id; one of the two.
    private func reference(_ input: KMSInput) throws -> GrantReference {
        let token = try input.body.optionalString("GrantToken", length: KMSInput.grantTokenCharacters)
        let key = try input.optionalKey()
        let grantID = try input.optionalGrantID()
        switch (token, key, grantID) {
        case (let token?, nil, nil): return .token(token)
        case (nil, .keyARN(let arn)?, let id?): return .grant(id: id, key: arn)
        case (nil, .some, .some): throw KeyError(.invalidArn, "RetireGrant names its key by the key's ARN.")
        default: throw AWSError.validation("Specify either a grant token, or a key ARN and a grant ID.")
        }
    }
}
