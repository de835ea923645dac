package import AWSProtocol
package import Accounts
package import AuditTrail
package import Postgres

/// STS: temporary credentials of roles, and who a caller is.
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

    package func handle(operation: String, request: AuthenticatedRequest) async throws(AWSError) -> AWSReply {
        switch operation {
        case "AssumeRole": return try await assumeRole(request)
        case "GetCallerIdentity": return try await getCallerIdentity(request)
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
}
