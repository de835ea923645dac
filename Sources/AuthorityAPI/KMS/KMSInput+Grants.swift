import AWSProtocol
import Keys
import Policies

/// The members of requests about grants.
extension KMSInput {
    private static let service = StringRule(length: ServicePrincipalName.characters, pattern: ServicePrincipalName.pattern) {
        ServicePrincipalName.isValid($0)
    }
    private static let sourceARN = StringRule(
        length: GrantRequest.sourceARNCharacters, pattern: "^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$"
    ) { text in
        guard let arn = ARN(text) else { return false }
        return arn.partition.hasPrefix("aws") && ARN.isAccountID(arn.account)
            && [arn.partition, arn.service, arn.region].allSatisfy { part in
                part.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
            }
    }

    func grantID() throws -> String { try checked(body.requiredString("GrantId", length: 1...128)) }
    func optionalGrantID() throws -> String? { try body.optionalString("GrantId", length: 1...128).map(checked) }

    /// Ids of grants have 64 hexadecimal digits.
    private func checked(_ grantID: String) throws -> String {
        guard grantID.utf8.count == 64, Hex.decode(grantID) != nil else {
            throw KeyError(.invalidGrantID, "The grant ID is not valid.")
        }
        return grantID
    }

    func optionalPrincipal(_ name: String) throws -> String? { try body.optionalString(name, Self.principal) }
    func optionalService(_ name: String) throws -> String? { try body.optionalString(name, Self.service) }

    /// A principal's ARN or a service's name, of members that exclude each other.
    func principalOrService(_ principal: String, _ service: String) throws -> String? {
        let named = try optionalPrincipal(principal)
        let serviceNamed = try optionalService(service)
        guard named == nil || serviceNamed == nil else {
            throw AWSError.validation("Specify either \(principal) or \(service), but not both.")
        }
        return named ?? serviceNamed
    }

    func grant() throws -> GrantRequest {
        var operations: [GrantOperation] = []
        for name in try body.requiredStrings("Operations") {
            guard let operation = GrantOperation(rawValue: name) else {
                let names = GrantOperation.allCases.map(\.rawValue).joined(separator: ", ")
                throw AWSError.validation(field: "Operations", rule: "Member must satisfy enum value set: [\(names)]")
            }
            operations.append(operation)
        }
        let constraints = try body.optionalObject("Constraints")
        return try GrantRequest(
            grantee: try optionalPrincipal("GranteePrincipal"), granteeService: try optionalService("GranteeServicePrincipal"),
            retiring: try optionalPrincipal("RetiringPrincipal"),
            retiringService: try optionalService("RetiringServicePrincipal"), operations: operations,
            constraints: Grant.Constraints(
                equals: try constraints?.optionalStringMap("EncryptionContextEquals"),
                subset: try constraints?.optionalStringMap("EncryptionContextSubset")),
            sourceARN: try constraints?.optionalString("SourceArn", Self.sourceARN),
            name: try body.optionalString("Name", Self.grantName))
    }
}
