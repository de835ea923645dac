package import AWSProtocol
package import Accounts
package import AuditTrail
import Policies
package import Postgres

/// Decides as an S3 would for the role of a customer, where buckets are directories or are used with one key for all: the worker asks
/// as the session of the role, about that session alone, before it touches an object.
package struct BucketAccessService: AuthorityService {
    package let route = AuthorityRoute.json(targetPrefix: BucketAccessRequest.targetPrefix)
    package let signingName = BucketAccessRequest.signingName

    private let accounts: AccountsStore
    private let pool: PostgresPool
    private let trail: AuditTrail
    private let identity: ServiceIdentity

    package init(accounts: AccountsStore, pool: PostgresPool, trail: AuditTrail, identity: ServiceIdentity) {
        self.accounts = accounts
        self.pool = pool
        self.trail = trail
        self.identity = identity
    }

    package func knows(operation: String) -> Bool { operation == BucketAccessRequest.operation }

    package func handle(operation: String, request: AuthenticatedRequest) async throws(AWSError) -> AWSReply {
        guard operation == BucketAccessRequest.operation else { throw .unknownOperation() }
        // A session that the service made for a job, which only its own processes have.
        guard request.principal.record != nil else {
            throw .accessDenied("User: \(request.principal.arn) is not authorized to perform: forecastle:DecideBucketAccess")
        }
        let asked = try BucketAccessRequest(json: request.body)
        do {
            let policies = try await pool.withConnection { connection in
                try await self.accounts.policies(of: request.principal, on: connection)
            }
            let denials = asked.decisions.map { denial($0, asked.bucket, request, policies) }
            try await trail.record(record(asked, denials, request))
            return .json(BucketAccessResponse(denials: denials).json)
        } catch {
            throw AWSError(failure: error)
        }
    }

    private func denial(
        _ question: BucketAccessRequest.Decision, _ bucket: String, _ request: AuthenticatedRequest, _ policies: SubjectPolicies
    ) -> String? {
        // What is known of the session wins over what it says of its request.
        var context = ConditionContext(question.context)
        context.merge(request.principal.conditionContext(request.circumstances))
        let decision = PolicyEvaluator.decide(
            AuthorizationRequest(
                subject: request.principal.subject, action: question.action.rawValue,
                resource: question.resource(in: bucket), context: context),
            policies: policies)
        return decision.isAllowed ? nil : decision.message
    }

    /// One record for all that was asked at once. Names of objects stand in it where one was refused.
    private func record(
        _ asked: BucketAccessRequest, _ denials: [String?], _ request: AuthenticatedRequest
    ) -> CloudTrailRecord {
        let refusal = denials.lazy.compactMap { $0 }.first
        let source = request.principal.trailSource(sourceIP: request.sourceIP, userAgent: request.userAgent, identity)
        return CloudTrailRecord(
            userIdentity: request.principal.trailIdentity(identity), eventTime: request.eventTime,
            eventSource: "authority.forecastle", eventName: BucketAccessRequest.operation, awsRegion: identity.region,
            sourceIPAddress: source.sourceIPAddress, userAgent: source.userAgent, requestID: request.requestID, readOnly: true,
            recipientAccountID: request.principal.account,
            requestParameters: ["bucketName": .string(asked.bucket), "decisions": .int(Int64(asked.decisions.count))],
            errorCode: refusal == nil ? nil : "AccessDenied", errorMessage: refusal)
    }
}
