package import Policies

/// Who may retire a grant; pure.
///
/// Source: KMS developer guide, "Retiring and revoking grants". In short: the retiring principal and a grantee with
/// RetireGrant among the operations need no policy; the issuing account and an account that is retiring principal may hand
/// the right on by their own policies; whoever made the grant may where some policy allows kms:RetireGrant. A key policy
/// alone gives it to nobody, an explicit Deny takes it from everybody.
package struct RetirementRights: Sendable {
    /// What the policies say of kms:RetireGrant on the key for this caller.
    package struct Policy: Sendable, Equatable {
        var isDenied: Bool
        var identityAllows: Bool
        var keyPolicyAllows: Bool

        package init(isDenied: Bool, identityAllows: Bool, keyPolicyAllows: Bool) {
            self.isDenied = isDenied
            self.identityAllows = identityAllows
            self.keyPolicyAllows = keyPolicyAllows
        }

        /// Asks the evaluator apart for each side. The key's policy is asked as if the key were of the caller's account: its Deny
        /// must show, and what it allows the account alone must not count.
        package init(_ request: AuthorizationRequest, keyPolicy: PolicyDocument, policies: SubjectPolicies) {
            let own = PolicyEvaluator.decideAbsentForeignKey(request, policies: policies)
            let key = PolicyEvaluator.decideKey(
                request, keyPolicy: keyPolicy, account: request.subject.account, policies: policies)
            isDenied = own.isExplicitDeny || key.isExplicitDeny
            identityAllows = own.outcome == .denied(.foreignResource)
            if case .allowed(.statement(let statement)) = key.outcome {
                keyPolicyAllows = statement.source == .resource
            } else {
                keyPolicyAllows = false
            }
        }
    }

    package var caller: KeyCaller
    /// The service that the caller acts as, for grants that a service may retire.
    package var service: String?
    package var policy: Policy

    package init(caller: KeyCaller, service: String? = nil, policy: Policy) {
        self.caller = caller
        self.service = service
        self.policy = policy
    }

    package func mayRetire(_ grant: KeyGrant) -> Bool {
        if policy.isDenied { return false }
        if let retiring = grant.retiring, has(retiring, id: grant.retiringID) { return true }
        if grant.operations.contains(.retireGrant), has(grant.grantee, id: grant.granteeID) { return true }
        if hasAccountRight(grant.issuingAccount) { return true }
        return isCreator(of: grant) && (policy.identityAllows || policy.keyPolicyAllows)
    }

    /// Whether the caller is the principal, or belongs to the account that it is and has the right from there.
    private func has(_ principal: String, id: String?) -> Bool {
        if ServicePrincipalName.isValid(principal) { return principal == service }
        switch try? GrantRequest.pattern(principal) {
        case .account(let account): return hasAccountRight(account)
        case .some: return caller.isPrincipal(principal, id: id)
        case nil: return false
        }
    }

    private func hasAccountRight(_ account: String) -> Bool {
        caller.subject.account == account && (caller.subject.kind == .root || policy.identityAllows)
    }

    private func isCreator(of grant: KeyGrant) -> Bool {
        caller.principalARN == grant.creator && caller.principalID == grant.creatorID
    }
}
