import AWSProtocol

/// Ways to take a right away, as an administrator does it at one authority process.
enum RevocationAct: String, CaseIterable, Sendable {
    case revokeGrant = "RevokeGrant"
    case disableKey = "DisableKey"
    case denyInKeyPolicy = "PutKeyPolicy with a Deny"
    case scheduleKeyDeletion = "ScheduleKeyDeletion"

    func call(key: String, grant: String, account: String) -> LoadCall {
        switch self {
        case .revokeGrant: .kms("RevokeGrant", ["KeyId": .string(key), "GrantId": .string(grant)])
        case .disableKey: .kms("DisableKey", ["KeyId": .string(key)])
        case .denyInKeyPolicy:
            .kms("PutKeyPolicy", ["KeyId": .string(key), "Policy": .string(Self.denying(account)), "PolicyName": "default"])
        case .scheduleKeyDeletion: .kms("ScheduleKeyDeletion", ["KeyId": .string(key), "PendingWindowInDays": 7])
        }
    }

    private static func denying(_ account: String) -> String {
        """
        {"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::\(account):root"},"Action":"kms:*","Resource":"*"},
        {"Effect":"Deny","Principal":"*","Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*"}]}
        """
    }
}
