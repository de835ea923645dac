/// The operations of KMS that this authority carries out, by their names in the API, and the two permissions that ReEncrypt
/// asks for; the policy action is `kms:` and the name.
package enum KeyOperation: String, Sendable, CaseIterable {
    case cancelKeyDeletion = "CancelKeyDeletion"
    case createAlias = "CreateAlias"
    case createGrant = "CreateGrant"
    case createKey = "CreateKey"
    case decrypt = "Decrypt"
    case deleteAlias = "DeleteAlias"
    case describeKey = "DescribeKey"
    case disableKey = "DisableKey"
    case disableKeyRotation = "DisableKeyRotation"
    case enableKey = "EnableKey"
    case enableKeyRotation = "EnableKeyRotation"
    case encrypt = "Encrypt"
    case generateDataKey = "GenerateDataKey"
    case generateDataKeyWithoutPlaintext = "GenerateDataKeyWithoutPlaintext"
    case generateRandom = "GenerateRandom"
    case getKeyPolicy = "GetKeyPolicy"
    case getKeyRotationStatus = "GetKeyRotationStatus"
    case listAliases = "ListAliases"
    case listGrants = "ListGrants"
    case listKeyPolicies = "ListKeyPolicies"
    case listKeyRotations = "ListKeyRotations"
    case listKeys = "ListKeys"
    case listResourceTags = "ListResourceTags"
    case listRetirableGrants = "ListRetirableGrants"
    case putKeyPolicy = "PutKeyPolicy"
    /// Not an action of policies: the source key is asked for `reEncryptFrom`, the destination for `reEncryptTo`.
    case reEncrypt = "ReEncrypt"
    case reEncryptFrom = "ReEncryptFrom"
    case reEncryptTo = "ReEncryptTo"
    case retireGrant = "RetireGrant"
    case revokeGrant = "RevokeGrant"
    case rotateKeyOnDemand = "RotateKeyOnDemand"
    case scheduleKeyDeletion = "ScheduleKeyDeletion"
    case tagResource = "TagResource"
    case untagResource = "UntagResource"
    case updateAlias = "UpdateAlias"
    case updateKeyDescription = "UpdateKeyDescription"

    package var action: String { "kms:" + rawValue }

    /// Whether it is an operation of the API, and not a permission alone.
    package var isCallable: Bool { self != .reEncryptFrom && self != .reEncryptTo }

    /// Whether policies and grants know it as an action.
    package var isPermission: Bool { self != .reEncrypt }

    /// Whether a principal of another account may use it, where key policy or grant and its own policy allow.
    package var isCrossAccount: Bool {
        switch self {
        case .createGrant, .decrypt, .describeKey, .encrypt, .generateDataKey, .generateDataKeyWithoutPlaintext,
            .getKeyRotationStatus, .listGrants, .reEncrypt, .reEncryptFrom, .reEncryptTo, .retireGrant, .revokeGrant:
            true
        default: false
        }
    }

    /// What CloudTrail calls readOnly; uses of a key count as reads there.
    package var isReadOnly: Bool {
        switch self {
        case .decrypt, .describeKey, .encrypt, .generateDataKey, .generateDataKeyWithoutPlaintext, .generateRandom,
            .getKeyPolicy, .getKeyRotationStatus, .listAliases, .listGrants, .listKeyPolicies, .listKeyRotations, .listKeys,
            .listResourceTags, .listRetirableGrants, .reEncrypt, .reEncryptFrom, .reEncryptTo:
            true
        default: false
        }
    }

    /// Whether the request carries an encryption context that grants' constraints and conditions look at.
    package var usesEncryptionContext: Bool {
        switch self {
        case .decrypt, .encrypt, .generateDataKey, .generateDataKeyWithoutPlaintext, .reEncryptFrom, .reEncryptTo: true
        default: false
        }
    }
}
