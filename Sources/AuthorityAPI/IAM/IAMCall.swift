import AWSProtocol
import Accounts
import AuditTrail
import Policies
import Postgres

import struct FoundationEssentials.Date

/// A call while it is decided and carried out, on the connection that its transaction uses.
struct IAMCall {
    let operation: String
    let request: AuthenticatedRequest
    let accounts: AccountsStore
    let trail: AuditTrail
    let connection: PostgresConnection
    /// The caller's own, as they are now.
    let policies: SubjectPolicies

    var parameters: QueryParameters { request.parameters }
    var principal: Principal { request.principal }
    /// The account that the call is about: always the caller's.
    var account: String { principal.account }
    var now: Date { request.eventTime }

    // MARK: Decision

    /// Decides by the caller's own policies; root may do everything in its account.
    ///
    /// - Parameter action: the operation's own where it is nil.
    func authorize(_ resource: String, _ extra: ConditionContext = ConditionContext(), action: String? = nil) throws {
        var context = principal.conditionContext(request.circumstances)
        context.merge(extra)
        let decision = PolicyEvaluator.decide(
            AuthorizationRequest(
                subject: principal.subject, action: "iam:\(action ?? operation)", resource: resource, context: context),
            policies: policies)
        guard decision.isAllowed else { throw AWSError.accessDenied(decision.message) }
    }

    func authorize(_ resource: ARN, _ extra: ConditionContext = ConditionContext()) throws {
        try authorize(resource.description, extra)
    }

    /// Decides about something that is to be made. To make it with tags is to tag it: that needs its own right, as in IAM.
    func authorizeCreation(of resource: ARN, tags: IdentityTags, boundary: ARN? = nil, tagging: String) throws {
        var context = ConditionContext()
        context.setRequestTags(tags)
        if let boundary { context.set("iam:PermissionsBoundary", boundary.description) }
        try authorize(resource, context)
        if !tags.isEmpty { try authorize(resource.description, context, action: tagging) }
    }

    /// The user, group or role that is meant; whether it exists is said only to who may ask.
    func identity(_ owner: PolicyOwner, _ extra: ConditionContext = ConditionContext()) async throws -> Identity {
        let found = try await accounts.identity(owner, account: account, on: connection)
        var context = ConditionContext()
        if let found {
            context.setResourceTags(found.tags)
            if let boundary = found.boundary { context.set("iam:PermissionsBoundary", boundary.description) }
        }
        context.merge(extra)
        try authorize(found?.arn ?? owner.arn(account: account), context)
        guard let found else { throw AccountsStore.missing(owner) }
        return found
    }

    /// The managed policy that the call is about.
    func policy(_ extra: ConditionContext = ConditionContext()) async throws -> ManagedPolicyEntity {
        let arn = try policyARN()
        let found = try await accounts.policy(arn, on: connection)
        var context = ConditionContext()
        if let found { context.setResourceTags(found.tags) }
        context.merge(extra)
        try authorize(arn, context)
        guard let found else { return try await accounts.requiredPolicy(arn, on: connection) }
        return found
    }

    /// A managed policy of the account that is to be attached: the decision is about whom it is attached to.
    func attachable(_ arn: ARN) async throws -> ManagedPolicyEntity {
        guard arn.account == account else {
            throw AccountsError(.noSuchEntity, "Policy \(arn) does not exist or is not attachable.")
        }
        return try await accounts.requiredPolicy(arn, on: connection)
    }

    /// The user that is named, or the one who calls.
    func userOrCaller() async throws -> Identity {
        if let name = try parameters.optional("UserName", IAMRules.longName) { return try await identity(.user(name)) }
        guard let name = principal.userName else {
            throw AWSError.validation("Must specify userName when calling with non-User credentials")
        }
        return try await identity(.user(name))
    }

    // MARK: Parameters

    func policyARN(_ name: String = "PolicyArn") throws -> ARN {
        let text = try parameters.required(name, IAMRules.arn)
        guard let arn = ARN(text), arn.service == "iam", arn.resourceType == "policy" else {
            throw AWSError(code: "InvalidInput", message: "ARN \(String(text.prefix(128))) is not valid.")
        }
        return arn
    }

    func path(_ name: String = "Path") throws -> String? { try parameters.optional(name, IAMRules.path) }

    func tags() throws -> IdentityTags { try parameters.identityTags("Tags") }

    func page() throws -> ListPage {
        ListPage(
            after: try Marker.decode(try parameters.optional("Marker", IAMRules.marker)),
            limit: try parameters.optionalInt("MaxItems", range: ListPage.limits) ?? ListPage.defaultLimit,
            pathPrefix: try parameters.optional("PathPrefix", IAMRules.pathPrefix) ?? "/")
    }

    func flag(_ name: String) throws -> Bool {
        switch parameters[name]?.asciiLowercased {
        case nil, "false": false
        case "true": true
        default: throw AWSError.validation(field: name, rule: "Member must be true or false")
        }
    }

    func required(_ name: String, oneOf values: [String]) throws -> String {
        guard let value = try optional(name, oneOf: values) else {
            throw AWSError.validation(field: name, rule: "Member must not be null")
        }
        return value
    }

    func optional(_ name: String, oneOf values: [String]) throws -> String? {
        guard let value = parameters[name] else { return nil }
        guard values.contains(value) else {
            throw AWSError.validation(
                field: name, rule: "Member must satisfy enum value set: [\(values.joined(separator: ", "))]")
        }
        return value
    }
}

/// Where the next page of a listing begins, as a client hands it back.
enum Marker {
    static func encode(_ after: String) -> String { Base64.encode(Array(after.utf8)) }

    static func decode(_ marker: String?) throws(AWSError) -> String {
        guard let marker else { return "" }
        guard let bytes = Base64.decode(marker), let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw .validation("Invalid Marker.")
        }
        return text
    }
}

extension IAMAnswer {
    /// A page of a list, with `IsTruncated` and, where there is more, `Marker`.
    static func list<Element>(
        _ name: String, _ listed: Listed<Element>, _ before: [IAMField?] = [], value: (Element) -> IAMValue
    ) -> IAMAnswer {
        IAMAnswer(
            before + [
                IAMField(name, .list(listed.elements.map(value))), IAMField("IsTruncated", .flag(listed.next != nil)),
                IAMField("Marker", ifPresent: listed.next.map { .text(Marker.encode($0)) }),
            ])
    }
}

extension ConditionContext {
    mutating func setResourceTags(_ tags: IdentityTags) {
        for tag in tags.list {
            set("aws:ResourceTag/\(tag.key)", tag.value)
            set("iam:ResourceTag/\(tag.key)", tag.value)
        }
    }

    mutating func setRequestTags(_ tags: IdentityTags) {
        guard !tags.isEmpty else { return }
        for tag in tags.list { set("aws:RequestTag/\(tag.key)", tag.value) }
        self["aws:TagKeys"] = tags.list.map(\.key)
    }
}
