import AWSProtocol
import Policies

/// Who may retire a grant; pure.
///
/// Source: KMS developer guide, "Retiring and revoking grants". In short: the retiring principal and a grantee with
/// RetireGrant among the operations need no policy; the issuing account and an account that is retiring principal may hand
/// the right on by their own policies; whoever made the grant may where some policy allows kms:RetireGrant. A key policy
/// alone gives it to nobody, an explicit Deny takes it from everybody.
struct RetirementRights: Sendable {
    /// What the policies say of kms:RetireGrant on the key for this caller.
    struct Policy: Sendable, Equatable {
        var isDenied: Bool
        var identityAllows: Bool
        var keyPolicyAllows: Bool
    }

    var caller: KeyCaller
    var policy: Policy

    func mayRetire(_ grant: KeyGrant) -> Bool {
        if policy.isDenied { return false }
        if let retiring = grant.retiring, has(retiring, id: grant.retiringID) { return true }
        if grant.operations.contains(.retireGrant), has(grant.grantee, id: grant.granteeID) { return true }
        if hasAccountRight(grant.issuingAccount) { return true }
        return isCreator(of: grant) && (policy.identityAllows || policy.keyPolicyAllows)
    }

    /// Whether the caller is the principal, or belongs to the account that it is and has the right from there.
    private func has(_ principal: String, id: String?) -> Bool {
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
