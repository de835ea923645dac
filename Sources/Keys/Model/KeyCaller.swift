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
        var context = principal.conditionContext(circumstances)
        if let record = principal.record {
            context.set("aws:SourceArn", record.sourceARN)
            context.set("aws:SourceAccount", record.sourceAccount)
        }
        self.context = context
    }

    /// The resource of the service that the call is made for, as the session has it on record.
    var sourceARN: String? { principal.record?.sourceARN }

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

    /// The forms in which a grant can name this caller: user or session, role, account, and the service that it acts as.
    func granteeForms(actingAs service: String?) -> [String] {
        [subject.name, principalARN, "arn:aws:iam::\(account):root"] + [service].compactMap { $0 }
    }
}
