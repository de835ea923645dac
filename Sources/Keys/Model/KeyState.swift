package import AWSProtocol

/// The state of a key. Only keys with material of our own exist, so KMS's states around imports (PendingImport), custom
/// stores (Unavailable) and replicas (Creating, Updating, PendingReplicaDeletion) do not.
package enum KeyState: String, Sendable, CaseIterable {
    case enabled = "Enabled"
    case disabled = "Disabled"
    case pendingDeletion = "PendingDeletion"

    /// Why a key in this state refuses the operation; nil where it does not.
    ///
    /// Source: KMS developer guide, "Key states of KMS keys", the rows of symmetric keys with AWS_KMS origin. Of UpdateAlias it is
    /// the new target that must not be pending deletion; the old one may be in any state.
    package func refusal(of operation: KeyOperation, key: ARN) -> KeyError? {
        switch operation {
        case .createGrant, .decrypt, .disableKeyRotation, .enableKeyRotation, .encrypt, .generateDataKey,
            .generateDataKeyWithoutPlaintext, .reEncrypt, .reEncryptFrom, .reEncryptTo, .rotateKeyOnDemand:
            switch self {
            case .enabled: nil
            case .disabled: KeyError(.disabled, "\(key) is disabled.")
            case .pendingDeletion: Self.pending(key)
            }
        case .createAlias, .disableKey, .enableKey, .scheduleKeyDeletion, .tagResource, .untagResource, .updateAlias,
            .updateKeyDescription:
            self == .pendingDeletion ? Self.pending(key) : nil
        case .cancelKeyDeletion:
            self == .pendingDeletion ? nil : KeyError(.invalidState, "\(key) is not pending deletion.")
        case .createKey, .deleteAlias, .describeKey, .generateRandom, .getKeyPolicy, .getKeyRotationStatus, .listAliases,
            .listGrants, .listKeyPolicies, .listKeyRotations, .listKeys, .listResourceTags, .listRetirableGrants,
            .putKeyPolicy, .retireGrant, .revokeGrant:
            nil
        }
    }

    private static func pending(_ key: ARN) -> KeyError {
        KeyError(.invalidState, "\(key) is pending deletion.")
    }
}
