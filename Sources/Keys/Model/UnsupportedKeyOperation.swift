/// The operations of KMS's model that this authority knows by name and does not carry out: they are about asymmetric and HMAC
/// keys, imported material, custom key stores and multi-Region keys, or about the last use of a key, which the trail tells.
///
/// Source: botocore's model of KMS (2014-11-01), as of 1.44.8. A name in neither this list nor `KeyOperation` is none of KMS.
package enum UnsupportedKeyOperation: String, Sendable, CaseIterable {
    case connectCustomKeyStore = "ConnectCustomKeyStore"
    case createCustomKeyStore = "CreateCustomKeyStore"
    case decapsulate = "Decapsulate"
    case deleteCustomKeyStore = "DeleteCustomKeyStore"
    case deleteImportedKeyMaterial = "DeleteImportedKeyMaterial"
    case deriveSharedSecret = "DeriveSharedSecret"
    case describeCustomKeyStores = "DescribeCustomKeyStores"
    case disconnectCustomKeyStore = "DisconnectCustomKeyStore"
    case encapsulate = "Encapsulate"
    case generateDataKeyPair = "GenerateDataKeyPair"
    case generateDataKeyPairWithoutPlaintext = "GenerateDataKeyPairWithoutPlaintext"
    case generateMac = "GenerateMac"
    case getKeyLastUsage = "GetKeyLastUsage"
    case getParametersForImport = "GetParametersForImport"
    case getPublicKey = "GetPublicKey"
    case importKeyMaterial = "ImportKeyMaterial"
    case replicateKey = "ReplicateKey"
    case sign = "Sign"
    case updateCustomKeyStore = "UpdateCustomKeyStore"
    case updatePrimaryRegion = "UpdatePrimaryRegion"
    case verify = "Verify"
    case verifyMac = "VerifyMac"

    /// What CloudTrail calls readOnly.
    package var isReadOnly: Bool {
        switch self {
        case .connectCustomKeyStore, .createCustomKeyStore, .deleteCustomKeyStore, .deleteImportedKeyMaterial,
            .disconnectCustomKeyStore, .importKeyMaterial, .replicateKey, .updateCustomKeyStore, .updatePrimaryRegion:
            false
        default: true
        }
    }

    package var refusal: KeyError {
        KeyError(.unsupported, "\(rawValue) is not supported: keys here are symmetric, with material of their own.")
    }
}
