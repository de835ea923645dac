/// Everything that one decision rests on.
struct DecisionQuestion: Sendable {
    /// The side of what is acted on, where that has a policy of its own: a key or a role.
    struct Resource: Sendable {
        let policy: PolicyDocument
        let account: String
        /// In force on the key; those that do not fit are passed over.
        var grants: [Grant] = []
        /// Of the request, for the constraints of grants.
        var encryptionContext: [String: String] = [:]
        var isUsableAcrossAccounts = true
    }

    let request: AuthorizationRequest
    let policies: SubjectPolicies
    var resource: Resource?

    /// The grant that names the subject most closely and allows the request.
    var grant: (id: String, match: PrincipalMatch)? {
        guard let resource else { return nil }
        var best: (id: String, match: PrincipalMatch)?
        for grant in resource.grants {
            let match = grant.match(
                request.subject, action: request.action, encryptionContext: resource.encryptionContext)
            if match > (best?.match ?? .none) { best = (grant.id, match) }
        }
        return best
    }

    /// The statement of that effect in the resource's policy that applies and names the subject most closely.
    func resourceStatement(_ effect: PolicyEffect) -> (reference: StatementReference, match: PrincipalMatch)? {
        resource.flatMap { Self.statement(effect, for: request, in: $0.policy, source: .resource, policy: nil) }
    }

    /// The first statement of that effect that applies, in the first of the policies that has one.
    func statement(
        _ effect: PolicyEffect, in attached: [AttachedPolicy], source: (String) -> PolicySource
    ) -> StatementReference? {
        for policy in attached {
            let found = Self.statement(
                effect, for: request, in: policy.document, source: source(policy.name), policy: policy.name)
            if let found { return found.reference }
        }
        return nil
    }

    /// Where the document names nobody, the first statement that applies.
    private static func statement(
        _ effect: PolicyEffect, for request: AuthorizationRequest, in document: PolicyDocument, source: PolicySource,
        policy: String?
    ) -> (reference: StatementReference, match: PrincipalMatch)? {
        var best: (reference: StatementReference, match: PrincipalMatch)?
        for (index, statement) in document.statements.enumerated() where statement.effect == effect {
            let match = statement.principal?.match(request.subject, effect: effect) ?? .exact
            guard match > (best?.match ?? .none), statement.applies(to: request, kind: document.kind) else { continue }
            best = (StatementReference(source: source, policy: policy, index: index, sid: statement.sid), match)
            if match == .exact { break }
        }
        return best
    }
}

extension DecisionQuestion {
    func identity(_ effect: PolicyEffect) -> StatementReference? {
        statement(effect, in: policies.identity) { .identity(policy: $0) }
    }

    func session(_ effect: PolicyEffect) -> StatementReference? {
        statement(effect, in: policies.session) { _ in .session }
    }

    func boundary(_ effect: PolicyEffect) -> StatementReference? {
        statement(effect, in: policies.boundary.map { [$0] } ?? []) { _ in .boundary }
    }
}
