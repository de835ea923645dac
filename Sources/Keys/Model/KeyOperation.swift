/// The operations of KMS that this authority knows, by their names in the API; the policy action is `kms:` and the name.
package enum KeyOperation: String, Sendable, CaseIterable {
    case cancelKeyDeletion = "CancelKeyDeletion"
    case createAlias = "CreateAlias"
    case createGrant = "CreateGrant"
    case createKey = "CreateKey"
    case decrypt = "Decrypt"
    case describeKey = "DescribeKey"
    case disableKey = "DisableKey"
    case enableKey = "EnableKey"
    case encrypt = "Encrypt"
    case generateDataKey = "GenerateDataKey"
    case generateDataKeyWithoutPlaintext = "GenerateDataKeyWithoutPlaintext"
    case getKeyPolicy = "GetKeyPolicy"
    case listAliases = "ListAliases"
    case listGrants = "ListGrants"
    case listKeyPolicies = "ListKeyPolicies"
    case listKeys = "ListKeys"
    case listRetirableGrants = "ListRetirableGrants"
    case putKeyPolicy = "PutKeyPolicy"
    case retireGrant = "RetireGrant"
    case revokeGrant = "RevokeGrant"
    case scheduleKeyDeletion = "ScheduleKeyDeletion"

    package var action: String { "kms:" + rawValue }

    /// Whether a principal of another account may use it, where key policy or grant and its own policy allow.
    package var isCrossAccount: Bool {
        switch self {
        case .createGrant, .decrypt, .describeKey, .encrypt, .generateDataKey, .generateDataKeyWithoutPlaintext,
            .listGrants, .retireGrant, .revokeGrant:
            true
        default: false
        }
    }

    /// What CloudTrail calls readOnly; uses of a key count as reads there.
    package var isReadOnly: Bool {
        switch self {
        case .decrypt, .describeKey, .encrypt, .generateDataKey, .generateDataKeyWithoutPlaintext, .getKeyPolicy,
            .listAliases, .listGrants, .listKeyPolicies, .listKeys, .listRetirableGrants:
            true
        default: false
        }
    }

    /// Whether the request carries an encryption context that grants' constraints and conditions look at.
    package var usesEncryptionContext: Bool {
        switch self {
        case .decrypt, .encrypt, .generateDataKey, .generateDataKeyWithoutPlaintext: true
        default: false
        }
    }
}
