/// The private operation by which the API asks the authority who signed a request and what of it is allowed
/// (target `ForecastleAuthority.Authorize`, signing name `forecast`).
///
/// JSON: `{"Claim":{…}, "SourceIp", "UserAgent", "RequestId", "SecureTransport":bool, "Audit":{…}, "Decisions":[…]}`.
/// Only the API's principal may call it.
package struct AuthorizeRequest: Sendable {
    package static let targetPrefix = "ForecastleAuthority"
    package static let operation = "Authorize"
    package static let signingName = "forecast"
    /// Stands for the caller's account in a decision's resource, which the API does not know before the answer.
    package static let accountPlaceholder = "${Account}"
    package static let maximumDecisions = 100

    /// One action to decide.
    package struct Decision: Sendable, Equatable {
        package var action: String
        /// ARN, perhaps with `accountPlaceholder`.
        package var resource: String
        /// Further condition keys, each with its values.
        package var context: [String: [String]]
        /// A role of the caller's account whose rights are asked for instead of the caller's: what a role that is passed may
        /// do with a bucket.
        package var role: String?
        /// The operation goes on without it, and shows less: a denial is no refusal of the call.
        package var isOptional: Bool

        package init(
            action: String, resource: String, context: [String: [String]] = [:], role: String? = nil, isOptional: Bool = false
        ) {
            self.action = action
            self.resource = resource
            self.context = context
            self.role = role
            self.isOptional = isOptional
        }
    }

    /// What the trail says of the call, beside who made it and whether it was allowed.
    package struct Audit: Sendable, Equatable {
        package var eventSource: String
        package var eventName: String
        package var isReadOnly: Bool
        /// Null where the call's parameters are not recorded.
        package var requestParameters: JSONValue
        /// In the form of the record's `resources`.
        package var resources: [JSONValue]
        /// What the API refused after the call was allowed, asked for anew with nothing to decide: the trail then says that too.
        package var refusal: Refusal?

        package init(
            eventSource: String, eventName: String, isReadOnly: Bool, requestParameters: JSONValue = .null,
            resources: [JSONValue] = [], refusal: Refusal? = nil
        ) {
            self.eventSource = eventSource
            self.eventName = eventName
            self.isReadOnly = isReadOnly
            self.requestParameters = requestParameters
            self.resources = resources
            self.refusal = refusal
        }
    }

    package struct Refusal: Sendable, Equatable {
        package var code: String
        package var message: String

        package init(code: String, message: String) {
            self.code = code
            self.message = message
        }
    }

    package var claim: SignedRequestClaim
    package var sourceIP: String
    package var userAgent: String
    package var requestID: String
    package var isSecureTransport: Bool
    package var audit: Audit
    /// ARN of what the request names. Where it is another account's, the first decision alone is made and the trail says that it was not
    /// found: what is decided about its keys would tell of it.
    package var named: String?
    package var decisions: [Decision]

    package init(
        claim: SignedRequestClaim, sourceIP: String, userAgent: String, requestID: String, isSecureTransport: Bool,
        audit: Audit, named: String? = nil, decisions: [Decision]
    ) {
        self.named = named
        self.claim = claim
        self.sourceIP = sourceIP
        self.userAgent = userAgent
        self.requestID = requestID
        self.isSecureTransport = isSecureTransport
        self.audit = audit
        self.decisions = decisions
    }
}

extension AuthorizeRequest.Audit {
    fileprivate var json: JSONObject {
        var json: JSONObject = [
            "EventSource": .string(eventSource), "EventName": .string(eventName), "ReadOnly": .bool(isReadOnly),
            "RequestParameters": requestParameters, "Resources": .array(resources),
        ]
        json.append(
            "Refusal",
            ifPresent: refusal.map { .object(["Code": .string($0.code), "Message": .string($0.message)]) })
        return json
    }
}

extension AuthorizeRequest {
    package var json: JSONObject {
        var json: JSONObject = [
            "Claim": .object(claim.json), "SourceIp": .string(sourceIP), "UserAgent": .string(userAgent),
            "RequestId": .string(requestID), "SecureTransport": .bool(isSecureTransport), "Audit": .object(audit.json),
            "Decisions": .array(
                decisions.map { decision in
                    var json: JSONObject = [
                        "Action": .string(decision.action), "Resource": .string(decision.resource),
                        "Context": .object(
                            JSONObject(
                                decision.context.sorted { $0.key < $1.key }.map { ($0.key, .strings($0.value)) })),
                    ]
                    json.append("Role", ifPresent: decision.role.map { .string($0) })
                    if decision.isOptional { json["Optional"] = true }
                    return .object(json)
                }),
        ]
        json.append("Named", ifPresent: named.map { .string($0) })
        return json
    }

    package init(json: JSONObject) throws(AWSError) {
        claim = try SignedRequestClaim(json: json.requiredObject("Claim"))
        sourceIP = try json.requiredString("SourceIp")
        userAgent = try json.requiredString("UserAgent")
        requestID = try json.requiredString("RequestId")
        isSecureTransport = try json.requiredBool("SecureTransport")
        let audit = try json.requiredObject("Audit")
        self.audit = Audit(
            eventSource: try audit.requiredString("EventSource"), eventName: try audit.requiredString("EventName"),
            isReadOnly: try audit.requiredBool("ReadOnly"), requestParameters: audit["RequestParameters"] ?? .null,
            resources: try audit.optionalArray("Resources") ?? [])
        if let refusal = try audit.optionalObject("Refusal") {
            self.audit.refusal = Refusal(
                code: try refusal.requiredString("Code"), message: try refusal.requiredString("Message"))
        }
        named = try json.optionalString("Named")
        decisions = []
        for decision in try json.requiredObjects("Decisions", count: 0...Self.maximumDecisions) {
            let context = try decision.optionalObject("Context") ?? [:]
            var values: [String: [String]] = [:]
            for key in context.keys { values[key] = try context.requiredStrings(key) }
            decisions.append(
                Decision(
                    action: try decision.requiredString("Action"), resource: try decision.requiredString("Resource"),
                    context: values, role: try decision.optionalString("Role"),
                    isOptional: try decision.optionalBool("Optional") ?? false))
        }
    }
}
