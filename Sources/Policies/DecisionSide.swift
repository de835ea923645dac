/// What one part of a decision says by itself, for people who ask why; the decision is made by `PolicyEvaluator` alone.
package struct DecisionSide: Sendable, Hashable {
    package enum Part: String, Sendable, CaseIterable {
        /// The policy of the key or the trust policy of the role.
        case resource = "resource policy"
        case grants
        case identity = "identity policies"
        case session = "session policies"
        case boundary = "permissions boundary"
    }

    package enum Verdict: Sendable, Hashable {
        case denies(StatementReference)
        case allows(StatementReference)
        /// Names the account alone, whose own policies then decide.
        case delegates(StatementReference)
        case grants(id: String)
        /// There are policies (or grants) and none of them allows or denies.
        case isSilent
        /// There is none of the kind.
        case isAbsent
    }

    package let part: Part
    package let verdict: Verdict
}

extension Decision {
    /// What each part says by itself, in the order in which the parts are asked for an Allow.
    package var sides: [DecisionSide] {
        let policies = question.policies
        return [
            DecisionSide(part: .resource, verdict: question.resourceVerdict),
            DecisionSide(part: .grants, verdict: question.grantVerdict),
            DecisionSide(
                part: .boundary,
                verdict: Self.verdict(question.boundary, isAbsent: policies.boundary == nil)),
            DecisionSide(part: .session, verdict: Self.verdict(question.session, isAbsent: policies.session.isEmpty)),
            DecisionSide(part: .identity, verdict: Self.verdict(question.identity, isAbsent: policies.identity.isEmpty)),
        ]
    }

    private static func verdict(
        _ statement: (PolicyEffect) -> StatementReference?, isAbsent: Bool
    ) -> DecisionSide.Verdict {
        if isAbsent { return .isAbsent }
        if let deny = statement(.deny) { return .denies(deny) }
        return statement(.allow).map { .allows($0) } ?? .isSilent
    }
}

extension DecisionQuestion {
    fileprivate var resourceVerdict: DecisionSide.Verdict {
        guard resource != nil else { return .isAbsent }
        if let deny = resourceStatement(.deny) { return .denies(deny.reference) }
        guard let allow = resourceStatement(.allow) else { return .isSilent }
        return allow.match == .account ? .delegates(allow.reference) : .allows(allow.reference)
    }

    fileprivate var grantVerdict: DecisionSide.Verdict {
        guard let resource, !resource.grants.isEmpty else { return .isAbsent }
        return grant.map { .grants(id: $0.id) } ?? .isSilent
    }
}
