/// Decides requests by policies and grants; pure.
///
/// Order everywhere: a matching Deny in any document ends the question; then something must allow, and whatever limits the
/// subject (session policies, boundary) must allow too, except where a resource's policy or a grant names the very user or session.
package enum PolicyEvaluator {
    /// Decides where the subject's own policies are all there is: every service but KMS keys and roles.
    ///
    /// Nothing of another account can be reached this way, because only a policy of the resource could open it.
    package static func decide(_ request: AuthorizationRequest, policies: SubjectPolicies) -> Decision {
        let question = DecisionQuestion(request: request, policies: policies)
        return Decision(ownOutcome(question), of: question)
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
        decide(
            DecisionQuestion(
                request: request, policies: policies,
                resource: .init(
                    policy: keyPolicy, account: account, grants: grants, encryptionContext: encryptionContext,
                    isUsableAcrossAccounts: isUsableAcrossAccounts)))
    }

    /// Decides about another account's key that does not exist: the answer is the one that a key which is not open to the subject
    /// would give.
    package static func decideAbsentForeignKey(
        _ request: AuthorizationRequest, policies: SubjectPolicies
    ) -> Decision {
        let question = DecisionQuestion(request: request, policies: policies)
        return Decision(absentForeignOutcome(question), of: question)
    }

    /// Decides whether a subject may assume a role: its trust policy must allow explicitly, also within one account.
    ///
    /// A service (`PolicySubject.service`) needs the trust policy alone.
    package static func decideTrust(
        _ request: AuthorizationRequest, trustPolicy: PolicyDocument, account: String, policies: SubjectPolicies
    ) -> Decision {
        decide(
            DecisionQuestion(
                request: request, policies: policies, resource: .init(policy: trustPolicy, account: account)))
    }

    // MARK: Parts

    private static func decide(_ question: DecisionQuestion) -> Decision {
        Decision(outcome(of: question), of: question)
    }

    private static func outcome(of question: DecisionQuestion) -> Decision.Outcome {
        let subject = question.request.subject
        let isService = if case .service = subject.kind { true } else { false }
        if !isService, let account = question.resource?.account, !sameBytes(account, subject.account) {
            return outcomeAcrossAccounts(question)
        }
        if let deny = question.resourceStatement(.deny)?.reference ?? explicitDeny(question) {
            return .denied(.explicit(deny))
        }
        let named = question.resourceStatement(.allow)
        let granted = question.grant
        if let named, named.match == .exact { return .allowed(.statement(named.reference)) }
        if let granted, granted.match == .exact { return .allowed(.grant(id: granted.id)) }
        guard !isService else { return .denied(.missingAllow(.resource)) }
        if let limit = missingLimit(question) { return .denied(.missingAllow(limit)) }
        if let named, named.match > .account { return .allowed(.statement(named.reference)) }
        if let granted, granted.match > .account { return .allowed(.grant(id: granted.id)) }
        // The resource's policy or a grant reaches the account alone, which hands it on through its own policies.
        guard named != nil || granted != nil else { return .denied(.missingAllow(.resource)) }
        let own = identityOutcome(question)
        if case .allowed = own, named == nil, let granted { return .allowed(.grant(id: granted.id)) }
        return own
    }

    /// Both accounts must allow. The subject's own side is asked first, so that its answer says nothing of the resource.
    private static func outcomeAcrossAccounts(_ question: DecisionQuestion) -> Decision.Outcome {
        let absent = absentForeignOutcome(question)
        guard absent == .denied(.foreignResource), question.resource?.isUsableAcrossAccounts ?? false,
            question.resourceStatement(.deny) == nil
        else { return absent }
        if let named = question.resourceStatement(.allow) { return .allowed(.statement(named.reference)) }
        if let granted = question.grant { return .allowed(.grant(id: granted.id)) }
        return absent
    }

    /// The subject's own side, and beyond it nothing that is open.
    private static func absentForeignOutcome(_ question: DecisionQuestion) -> Decision.Outcome {
        if let deny = explicitDeny(question) { return .denied(.explicit(deny)) }
        let own = identityOutcome(question)
        if case .denied = own { return own }
        return .denied(.foreignResource)
    }

    private static func ownOutcome(_ question: DecisionQuestion) -> Decision.Outcome {
        if let deny = explicitDeny(question) { return .denied(.explicit(deny)) }
        let parts = question.request.resource.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        if parts.count == 6, !parts[4].isEmpty, !sameBytes(parts[4], question.request.subject.account) {
            return .denied(.foreignResource)
        }
        return identityOutcome(question)
    }

    /// What the subject's own policies say; Deny statements were looked at before.
    private static func identityOutcome(_ question: DecisionQuestion) -> Decision.Outcome {
        if let limit = missingLimit(question) { return .denied(.missingAllow(limit)) }
        if question.request.subject.kind == .root { return .allowed(.root) }
        return question.identity(.allow).map { .allowed(.statement($0)) } ?? .denied(.missingAllow(.identity(policy: "")))
    }

    /// The limiting kind of policy that does not allow the request, if one does not.
    private static func missingLimit(_ question: DecisionQuestion) -> PolicySource? {
        if question.policies.boundary != nil, question.boundary(.allow) == nil { return .boundary }
        if !question.policies.session.isEmpty, question.session(.allow) == nil { return .session }
        return nil
    }

    private static func explicitDeny(_ question: DecisionQuestion) -> StatementReference? {
        question.identity(.deny) ?? question.session(.deny) ?? question.boundary(.deny)
    }
}
