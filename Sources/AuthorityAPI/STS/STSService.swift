package import AWSProtocol
package import Accounts
package import AuditTrail
import Policies
package import Postgres

/// STS: temporary credentials of roles and users, and who a caller is.
package struct STSService: AuthorityService {
    package static let namespace = "https://sts.amazonaws.com/doc/2011-06-15/"

    package let route = AuthorityRoute.query(version: "2011-06-15", namespace: Self.namespace)
    package let signingName = "sts"

    let accounts: AccountsStore
    let pool: PostgresPool
    let trail: AuditTrail
    let identity: ServiceIdentity

    package init(accounts: AccountsStore, pool: PostgresPool, trail: AuditTrail, identity: ServiceIdentity) {
        self.accounts = accounts
        self.pool = pool
        self.trail = trail
        self.identity = identity
    }

    /// Operations of the model that rest on what is not here: identity providers, organizations, encoded messages.
    private static let unsupported: Set<String> = [
        "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot", "DecodeAuthorizationMessage",
        "GetDelegatedAccessToken", "GetFederationToken", "GetScopedCredentials", "GetWebIdentityToken",
    ]

    private static let supported: Set<String> = [
        "AssumeRole", "GetAccessKeyInfo", "GetCallerIdentity", "GetSessionToken",
    ]

    package func knows(operation: String) -> Bool {
        Self.supported.contains(operation) || Self.unsupported.contains(operation)
    }

    package func handle(operation: String, request: AuthenticatedRequest) async throws(AWSError) -> AWSReply {
        switch operation {
        case "AssumeRole": return try await assumeRole(request)
        case "GetAccessKeyInfo": return try await getAccessKeyInfo(request)
        case "GetCallerIdentity": return try await getCallerIdentity(request)
        case "GetSessionToken": return try await getSessionToken(request)
        case let other where Self.unsupported.contains(other):
            throw .unknownOperation("The operation \(other) is not supported here.")
        default: throw .unknownOperation("Could not find operation \(String(operation.prefix(64))) for version 2011-06-15")
        }
    }

    /// Needs no permission; not even a Deny is looked at.
    private func getCallerIdentity(_ request: AuthenticatedRequest) async throws(AWSError) -> AWSReply {
        do {
            try await trail.record(record("GetCallerIdentity", request))
        } catch {
            throw AWSError(failure: error)
        }
        let principal = request.principal
        return .xml { result in
            result.element("UserId", principal.userID)
            result.element("Account", principal.account)
            result.element("Arn", principal.arn.description)
        }
    }

    /// The account of an access key, whosever it is: as at AWS, where the key's id tells it.
    private func getAccessKeyInfo(_ request: AuthenticatedRequest) async throws(AWSError) -> AWSReply {
        var record = record("GetAccessKeyInfo", request)
        do {
            try request.parameters.refuseAllBut(["AccessKeyId"])
            let id = try request.parameters.required("AccessKeyId", IAMRules.accessKeyID)
            record.requestParameters = ["accessKeyId": .string(id)]
            try await decide("sts:GetAccessKeyInfo", request)
            let found = try await pool.withConnection { try await accounts.account(ofAccessKey: id, on: $0) }
            guard let found else { throw AWSError.validation("The access key is not known.") }
            try await trail.record(record)
            return .xml { $0.element("Account", found) }
        } catch {
            throw await recorded(AWSError(failure: error), in: record)
        }
    }

    /// By the caller's own policies. Sessions of users may do nothing in STS but assume roles and ask who they are.
    private func decide(_ action: String, _ request: AuthenticatedRequest) async throws {
        let principal = request.principal
        guard principal.userSession == nil else {
            throw AWSError.accessDenied("Cannot call \(action.dropFirst("sts:".count)) with session credentials")
        }
        let policies = try await pool.withConnection { try await accounts.policies(of: principal, on: $0) }
        let decision = PolicyEvaluator.decide(
            AuthorizationRequest(
                subject: principal.subject, action: action, resource: "*",
                context: principal.conditionContext(request.circumstances)),
            policies: policies)
        guard decision.isAllowed else { throw AWSError.accessDenied(decision.message) }
    }

    // MARK: The trail

    /// A record of the caller's own account.
    func record(_ event: String, _ request: AuthenticatedRequest) -> CloudTrailRecord {
        let principal = request.principal
        let source = principal.trailSource(sourceIP: request.sourceIP, userAgent: request.userAgent, identity)
        return CloudTrailRecord(
            userIdentity: principal.trailIdentity(identity), eventTime: request.eventTime,
            eventSource: "sts.amazonaws.com", eventName: event, awsRegion: identity.region,
            sourceIPAddress: source.sourceIPAddress, userAgent: source.userAgent, requestID: request.requestID, readOnly: true,
            recipientAccountID: principal.account)
    }

    /// Records a refusal before it is answered; a fault on the way is answered instead. Faults of our own leave no record.
    func recorded(_ error: AWSError, in record: CloudTrailRecord) async -> AWSError {
        guard error.status < 500 else { return error }
        var record = record
        record.errorCode = error.inQueryForm.code
        record.errorMessage = error.message
        do {
            try await trail.record(record)
            return error
        } catch {
            return AWSError(failure: error)
        }
    }
}
