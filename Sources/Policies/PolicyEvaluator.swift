/// Decides requests by policies and grants; pure.
///
/// Order everywhere: a matching Deny in any document ends the question; then something must allow, and whatever limits the
/// subject (session policy, boundary) must allow too, except where a resource's policy names the very user or session.
package enum PolicyEvaluator {
    /// Decides where the subject's own policies are all there is: every service but KMS keys and roles.
    ///
    /// Nothing of another account can be reached this way, because only a policy of the resource could open it.
    package static func decide(_ request: AuthorizationRequest, policies: SubjectPolicies) -> Decision {
        if let deny = explicitDeny(request, in: policies) { return Decision(.denied(.explicit(deny)), for: request) }
        let parts = request.resource.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        if parts.count == 6, !parts[4].isEmpty, !sameBytes(parts[4], request.subject.account) {
            return Decision(.denied(.foreignResource), for: request)
        }
        return Decision(identityOutcome(request, policies), for: request)
    }

    /// Decides a request for a KMS key by its policy, the subject's policies and the grants on the key.
    ///
    /// - Parameters:
    ///   - account: the account that the key belongs to.
    ///   - grants: the grants on the key that are in force; those that do not fit are passed over.
    ///   - encryptionContext: of the request, for the constraints of grants.
    ///   - isUsableAcrossAccounts: whether AWS lets other accounts call the operation at all.
    package static func decideKey(
        _ request: AuthorizationRequest, keyPolicy: PolicyDocument, account: String, policies: SubjectPolicies,
        grants: [Grant] = [], encryptionContext: [String: String] = [:], isUsableAcrossAccounts: Bool = true
    ) -> Decision {
        var granted: (id: String, match: PrincipalMatch)?
        for grant in grants {
            let match = grant.match(request.subject, action: request.action, encryptionContext: encryptionContext)
            if match > (granted?.match ?? .none) { granted = (grant.id, match) }
        }
        return decide(
            request, resourcePolicy: keyPolicy, account: account, policies: policies, granted: granted,
            isUsableAcrossAccounts: isUsableAcrossAccounts)
    }

    /// Decides about another account's key that does not exist: the answer is the one that a key which is not open to the subject
    /// would give.
    package static func decideAbsentForeignKey(
        _ request: AuthorizationRequest, policies: SubjectPolicies
    ) -> Decision {
        if let deny = explicitDeny(request, in: policies) { return Decision(.denied(.explicit(deny)), for: request) }
        let own = identityOutcome(request, policies)
        if case .denied = own { return Decision(own, for: request) }
        return Decision(.denied(.foreignResource), for: request)
    }

    /// Decides whether a subject may assume a role: its trust policy must allow explicitly, also within one account.
    ///
    /// A service (`PolicySubject.service`) needs the trust policy alone.
    package static func decideTrust(
        _ request: AuthorizationRequest, trustPolicy: PolicyDocument, account: String, policies: SubjectPolicies
    ) -> Decision {
        decide(
            request, resourcePolicy: trustPolicy, account: account, policies: policies, granted: nil,
            isUsableAcrossAccounts: true)
    }

    // MARK: Parts

    private static func decide(
        _ request: AuthorizationRequest, resourcePolicy: PolicyDocument, account: String, policies: SubjectPolicies,
        granted: (id: String, match: PrincipalMatch)?, isUsableAcrossAccounts: Bool
    ) -> Decision {
        let isService = if case .service = request.subject.kind { true } else { false }
        if !isService, !sameBytes(account, request.subject.account) {
            return decideAcrossAccounts(
                request, resourcePolicy: resourcePolicy, policies: policies, granted: granted,
                isUsable: isUsableAcrossAccounts)
        }
        if let deny = statement(.deny, for: request, in: resourcePolicy)?.reference ?? explicitDeny(request, in: policies) {
            return Decision(.denied(.explicit(deny)), for: request)
        }
        let named = statement(.allow, for: request, in: resourcePolicy)
        if let named, named.match == .exact { return Decision(.allowed(.statement(named.reference)), for: request) }
        if let granted, granted.match == .exact { return Decision(.allowed(.grant(id: granted.id)), for: request) }
        guard !isService else { return Decision(.denied(.missingAllow(.resource)), for: request) }
        if let limit = missingLimit(request, policies) { return Decision(.denied(.missingAllow(limit)), for: request) }
        if let named, named.match > .account { return Decision(.allowed(.statement(named.reference)), for: request) }
        if let granted, granted.match > .account { return Decision(.allowed(.grant(id: granted.id)), for: request) }
        // The resource's policy or a grant reaches the account alone, which hands it on through its own policies.
        guard named != nil || granted != nil else {
            return Decision(.denied(.missingAllow(.resource)), for: request)
        }
        let own = identityOutcome(request, policies)
        if case .allowed = own, named == nil, let granted {
            return Decision(.allowed(.grant(id: granted.id)), for: request)
        }
        return Decision(own, for: request)
    }

    /// Both accounts must allow. The subject's own side is asked first, so that its answer says nothing of the resource.
    private static func decideAcrossAccounts(
        _ request: AuthorizationRequest, resourcePolicy: PolicyDocument, policies: SubjectPolicies,
        granted: (id: String, match: PrincipalMatch)?, isUsable: Bool
    ) -> Decision {
        let absent = decideAbsentForeignKey(request, policies: policies)
        guard absent.outcome == .denied(.foreignResource) else { return absent }
        guard isUsable, statement(.deny, for: request, in: resourcePolicy) == nil else { return absent }
        if let named = statement(.allow, for: request, in: resourcePolicy) {
            return Decision(.allowed(.statement(named.reference)), for: request)
        }
        if let granted { return Decision(.allowed(.grant(id: granted.id)), for: request) }
        return absent
    }

    /// What the subject's own policies say; Deny statements were looked at before.
    private static func identityOutcome(
        _ request: AuthorizationRequest, _ policies: SubjectPolicies
    ) -> Decision.Outcome {
        if let limit = missingLimit(request, policies) { return .denied(.missingAllow(limit)) }
        if request.subject.kind == .root { return .allowed(.root) }
        for policy in policies.identity {
            if let found = statement(.allow, for: request, in: policy.document, source: .identity(policy: policy.name)) {
                return .allowed(.statement(found.reference))
            }
        }
        return .denied(.missingAllow(.identity(policy: "")))
    }

    /// The limiting policy that does not allow the request, if one does not.
    private static func missingLimit(_ request: AuthorizationRequest, _ policies: SubjectPolicies) -> PolicySource? {
        let limits: [(PolicyDocument?, PolicySource)] = [(policies.boundary, .boundary), (policies.session, .session)]
        for case (let document?, let source) in limits
        where statement(.allow, for: request, in: document, source: source) == nil {
            return source
        }
        return nil
    }

    private static func explicitDeny(
        _ request: AuthorizationRequest, in policies: SubjectPolicies
    ) -> StatementReference? {
        for policy in policies.identity {
            if let found = statement(.deny, for: request, in: policy.document, source: .identity(policy: policy.name)) {
                return found.reference
            }
        }
        for case (let document?, let source) in [(policies.session, PolicySource.session), (policies.boundary, .boundary)] {
            if let found = statement(.deny, for: request, in: document, source: source) { return found.reference }
        }
        return nil
    }

    /// The statement of that effect that applies and names the subject most closely; where the document names nobody, the first
    /// that applies.
    private static func statement(
        _ effect: PolicyEffect, for request: AuthorizationRequest, in document: PolicyDocument,
        source: PolicySource = .resource
    ) -> (reference: StatementReference, match: PrincipalMatch)? {
        var best: (reference: StatementReference, match: PrincipalMatch)?
        for (index, statement) in document.statements.enumerated() where statement.effect == effect {
            let match = statement.principal?.match(request.subject, effect: effect) ?? .exact
            guard match > (best?.match ?? .none), statement.applies(to: request, kind: document.kind) else { continue }
            best = (StatementReference(source: source, index: index, sid: statement.sid), match)
            if match == .exact { break }
        }
        return best
    }
}
