/// Where a policy is attached, as a decision names it.
package enum PolicySource: Sendable, Hashable {
    case identity(policy: String)
    case session
    case boundary
    /// The policy of the key or the trust policy of the role.
    case resource

    /// The words that AWS's messages have for it.
    var phrase: String {
        switch self {
        case .identity: "an identity-based policy"
        case .session: "a session policy"
        case .boundary: "a permissions boundary"
        case .resource: "a resource-based policy"
        }
    }
}

/// One statement of one policy.
package struct StatementReference: Sendable, Hashable {
    package let source: PolicySource
    /// The name of the policy; nil for a resource's, which has none.
    package let policy: String?
    /// From 0.
    package let index: Int
    package let sid: String?
}

/// The answer to an `AuthorizationRequest`, with what it rests on.
///
/// Two decisions are equal where the outcome and the text for the caller are.
package struct Decision: Sendable, Equatable {
    package enum Basis: Sendable, Hashable {
        case statement(StatementReference)
        /// The grant of that id. Limits on grants made through grants apply then.
        case grant(id: String)
        /// The account's root user, who needs no policy of its own.
        case root
    }

    package enum Denial: Sendable, Hashable {
        case explicit(StatementReference)
        /// No statement of this kind of policy allows it.
        case missingAllow(PolicySource)
        /// Another account's resource that is absent or not open to the subject: one answer for both.
        case foreignResource
    }

    package enum Outcome: Sendable, Hashable {
        case allowed(Basis)
        case denied(Denial)
    }

    package let outcome: Outcome
    let question: DecisionQuestion

    init(_ outcome: Outcome, of question: DecisionQuestion) {
        self.outcome = outcome
        self.question = question
    }

    package static func == (a: Decision, b: Decision) -> Bool {
        a.outcome == b.outcome && a.briefMessage == b.briefMessage
    }

    package var isAllowed: Bool {
        if case .allowed = outcome { true } else { false }
    }

    /// Whether a Deny statement decided.
    package var isExplicitDeny: Bool {
        if case .denied(.explicit) = outcome { true } else { false }
    }

    /// The grant that the permission rests on, where it rests on one.
    package var grantID: String? {
        if case .allowed(.grant(let id)) = outcome { id } else { nil }
    }

    /// The text for the caller of a denied request: who, what, on what and why. Empty for an allowed one.
    package var message: String {
        guard case .denied(let denial) = outcome else { return "" }
        return briefMessage + Self.reason(denial, action: question.request.action)
    }

    /// The same without the reason, as STS answers.
    package var briefMessage: String {
        guard case .denied = outcome else { return "" }
        let request = question.request
        return "User: \(request.subject.name) is not authorized to perform: \(request.action) on resource: \(request.resource)"
    }

    private static func reason(_ denial: Denial, action: String) -> String {
        switch denial {
        case .explicit(let statement):
            " with an explicit deny in \(statement.source.phrase)"
        case .missingAllow(.boundary):
            " because no permissions boundary allows the \(action) action"
        case .missingAllow(.session):
            " because no session policy allows the \(action) action"
        case .missingAllow(.identity):
            " because no identity-based policy allows the \(action) action"
        case .missingAllow(.resource):
            " because no resource-based policy allows the \(action) action"
        case .foreignResource:
            " because the resource does not exist in this Region, no resource-based policies allow access, or a "
                + "resource-based policy explicitly denies access"
        }
    }
}
