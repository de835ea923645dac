package import AWSProtocol
package import Accounts
package import AuditTrail
import Policies
package import Postgres

/// CloudTrail over JSON 1.1: LookupEvents on the trail of the caller's account.
///
/// Looking events up is itself an event, recorded before the answer.
package struct CloudTrailService: AuthorityService {
    package let route = AuthorityRoute.json(targetPrefix: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101")
    package let signingName = "cloudtrail"
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

    package func knows(operation: String) -> Bool { operation == "LookupEvents" }

    package func handle(operation: String, request: AuthenticatedRequest) async throws(AWSError) -> AWSReply {
        guard operation == "LookupEvents" else {
            throw .unknownOperation("The operation is not known to this authority.")
        }
        return try await .json(lookupEvents(request))
    }

    private func lookupEvents(_ request: AuthenticatedRequest) async throws(AWSError) -> JSONObject {
        var record = record(of: request)
        do {
            try await check(request)
            let lookup = try Self.lookup(request)
            // There are no Insights events: a category that is known and empty.
            let page = try Self.category(of: request) == .insight ? LookupPage.empty : try await trail.lookup(lookup)
            try await trail.record(record)
            return Self.json(page)
        } catch {
            let refusal = Self.wireError(error)
            guard refusal.status < 500 else { throw refusal }
            record.errorCode = refusal.code == "AccessDeniedException" ? "AccessDenied" : refusal.code
            record.errorMessage = refusal.message
            do { try await trail.record(record) } catch { throw .internalFailure(cause: error) }
            throw refusal
        }
    }

    private func check(_ request: AuthenticatedRequest) async throws {
        let question = AuthorizationRequest(
            subject: request.principal.subject, action: "cloudtrail:LookupEvents", resource: "*",
            context: request.principal.conditionContext(request.circumstances))
        let policies = try await pool.withConnection { try await accounts.policies(of: request.principal, on: $0) }
        let decision = PolicyEvaluator.decide(question, policies: policies)
        guard decision.isAllowed else { throw AWSError.accessDenied(decision.message) }
    }

    private enum EventCategory: String {
        case insight
    }

    /// Nil for management events, which have no name in this member.
    private static func category(of request: AuthenticatedRequest) throws -> EventCategory? {
        guard let name = try request.body.optionalString("EventCategory") else { return nil }
        guard let category = EventCategory(rawValue: name) else {
            throw AWSError(
                code: "InvalidEventCategoryException",
                message: "EventCategory must be insight, or be left out for management events.")
        }
        return category
    }

    static func lookup(_ request: AuthenticatedRequest) throws -> EventLookup {
        let body = request.body
        let attributes = try (body.optionalObjects("LookupAttributes") ?? []).map { entry in
            guard let key = EventLookup.AttributeKey(rawValue: try entry.requiredString("AttributeKey")) else {
                throw AWSError(code: "InvalidLookupAttributesException", message: "The attribute key is not known.")
            }
            return EventLookup.Attribute(key: key, value: try entry.requiredString("AttributeValue"))
        }
        return try EventLookup(
            account: request.principal.account, attributes: attributes, start: try body.optionalTimestamp("StartTime"),
            end: try body.optionalTimestamp("EndTime"), maxResults: try body.optionalInt("MaxResults"),
            nextToken: try body.optionalString("NextToken"), now: request.eventTime)
    }

    private static func json(_ page: LookupPage) -> JSONObject {
        var answer: JSONObject = [
            "Events": .array(
                page.events.map { event in
                    var object: JSONObject = [
                        "EventId": .string(event.eventID), "EventName": .string(event.eventName),
                        // A string in this API, unlike in the record.
                        "ReadOnly": .string(event.readOnly ? "true" : "false"),
                    ]
                    object.append("AccessKeyId", ifPresent: event.accessKeyID.map { .string($0) })
                    object["EventTime"] = AWSTimestamp.epoch(event.eventTime)
                    object["EventSource"] = .string(event.eventSource)
                    object.append("Username", ifPresent: event.username.map { .string($0) })
                    object["Resources"] = .array(
                        event.resources.map {
                            ["ResourceType": .string($0.type), "ResourceName": .string($0.name)]
                        })
                    object["CloudTrailEvent"] = .string(event.record)
                    return .object(object)
                })
        ]
        answer.append("NextToken", ifPresent: page.nextToken.map { .string($0) })
        return answer
    }

    static func wireError(_ error: any Error) -> AWSError {
        if let error = error as? AWSError { return error }
        guard let error = error as? AuditError else { return .internalFailure(cause: error) }
        let code: String
        switch error.code {
        case .invalidAttributes: code = "InvalidLookupAttributesException"
        case .invalidTimeRange: code = "InvalidTimeRangeException"
        case .invalidMaxResults: code = "InvalidMaxResultsException"
        case .invalidNextToken: code = "InvalidNextTokenException"
        default: return .internalFailure(cause: error)
        }
        return AWSError(code: code, message: error.message)
    }

    private func record(of request: AuthenticatedRequest) -> CloudTrailRecord {
        let source = request.principal.trailSource(sourceIP: request.sourceIP, userAgent: request.userAgent, identity)
        var parameters = JSONObject()
        for name in ["LookupAttributes", "StartTime", "EndTime", "EventCategory", "MaxResults"] {
            parameters.append(name.camelCased, ifPresent: request.body[name]?.withCamelCasedMembers)
        }
        return CloudTrailRecord(
            userIdentity: request.principal.trailIdentity(identity), eventTime: request.eventTime,
            eventSource: "cloudtrail.amazonaws.com", eventName: "LookupEvents", awsRegion: identity.region,
            sourceIPAddress: source.sourceIPAddress, userAgent: source.userAgent, requestID: request.requestID,
            readOnly: true, recipientAccountID: request.principal.account,
            requestParameters: parameters.isEmpty ? nil : parameters)
    }
}
