import AWSProtocol
package import Accounts
package import Policies

/// Who calls KMS and under which circumstances, as the authority has established both. Nothing in here comes from a header.
package struct KeyCaller: Sendable {
    package let principal: Principal
    /// Conditions that the request itself does not determine: aws:* of principal and connection, kms:CallerAccount, and what is
    /// on record with a session that a service made (kms:ViaService, kms:GrantIsForAWSResource).
    package let context: ConditionContext

    package init(principal: Principal, circumstances: RequestCircumstances) {
        self.principal = principal
        context = principal.conditionContext(circumstances)
    }

    package var account: String { principal.account }
    var subject: PolicySubject { principal.subject }

    /// The user's ARN, the role's for a session, the account's root.
    var principalARN: String { principal.identityARN.description }

    /// Unique id of the user or role; the account number of root.
    var principalID: String { principal.session?.roleID ?? principal.userID }

    /// Whether an ARN names this very user, role or session, and still the one with that unique id.
    func isPrincipal(_ arn: String, id: String?) -> Bool {
        (arn == subject.name || arn == principalARN) && (id == nil || id == principalID)
    }

    /// The forms in which a grant can name this caller: user or session, role, account.
    var granteeForms: [String] {
        [subject.name, principalARN, "arn:aws:iam::\(account):root"]
    }
}
