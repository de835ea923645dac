/// Allow or Deny.
package enum PolicyEffect: Sendable, Hashable { case allow, deny }

/// A policy document as it was parsed: pure data, evaluated by `PolicyEvaluator`.
package struct PolicyDocument: Sendable, Hashable {
    /// Where a document is attached, which decides what its statements must and must not have.
    package enum Kind: Sendable, Hashable {
        /// The policy of a KMS key: principals; Resource may be missing, and such a statement matches nothing.
        case key
        /// A policy of a user or role: no principals.
        case identity
        /// The trust policy of a role: principals, no Resource.
        case trust
        /// A policy given to AssumeRole, which narrows a session: no principals.
        case session

        /// The most characters a document may have; white space counts for keys and sessions only.
        package var maximumCharacters: Int {
            switch self {
            case .key: 32_768
            case .identity: 10_240
            case .trust: 4_096
            case .session: 2_048
            }
        }

        var countsWhitespace: Bool { self == .key || self == .session }
        var hasPrincipals: Bool { self == .key || self == .trust }
        var hasResources: Bool { self != .trust }
    }

    /// The most statements in a document: no honest one comes near.
    package static let maximumStatements = 512

    package let kind: Kind
    package let statements: [PolicyStatement]

    /// Every principal that the document names, for the check that they exist.
    package var principals: [PrincipalPattern] {
        statements.flatMap { $0.principal?.patterns ?? [] }
    }
}

/// One statement of a policy.
package struct PolicyStatement: Sendable, Hashable {
    package let sid: String?
    package let effect: PolicyEffect
    let principal: PrincipalElement?
    let actions: PolicyMatchList
    /// Nil where the element is missing: in trust policies it always is, in key policies the statement then matches nothing.
    let resources: PolicyMatchList?
    let conditions: [Condition]

    /// Whether action, resource and conditions fit; the principal is matched apart.
    func applies(to request: AuthorizationRequest, kind: PolicyDocument.Kind) -> Bool {
        guard actions.contains(request.action, in: request.context, effect: effect, ignoringASCIICase: true) else {
            return false
        }
        if kind.hasResources {
            guard let resources, resources.contains(request.resource, in: request.context, effect: effect) else {
                return false
            }
        }
        return conditions.allSatisfy { $0.holds(in: request.context, effect: effect) }
    }
}

/// An Action, NotAction, Resource or NotResource element.
enum PolicyMatchList: Sendable, Hashable {
    case listed([PolicyPattern])
    case notListed([PolicyPattern])

    /// A pattern with an unknown variable matches nothing, and does not let a negated element open an Allow.
    func contains(
        _ value: String, in context: ConditionContext, effect: PolicyEffect, ignoringASCIICase: Bool = false
    ) -> Bool {
        switch self {
        case .listed(let patterns):
            return patterns.contains {
                $0.expanded(in: context)?.matches(value, ignoringASCIICase: ignoringASCIICase) ?? false
            }
        case .notListed(let patterns):
            return !patterns.contains {
                $0.expanded(in: context)?.matches(value, ignoringASCIICase: ignoringASCIICase) ?? (effect == .allow)
            }
        }
    }
}
