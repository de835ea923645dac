/// What a grant may allow. KMS has more for asymmetric and HMAC keys; on a symmetric key they are refused.
package enum GrantOperation: String, Sendable, CaseIterable {
    case createGrant = "CreateGrant"
    case decrypt = "Decrypt"
    case describeKey = "DescribeKey"
    case encrypt = "Encrypt"
    case generateDataKey = "GenerateDataKey"
    case generateDataKeyWithoutPlaintext = "GenerateDataKeyWithoutPlaintext"
    case generateDataKeyPair = "GenerateDataKeyPair"
    case generateDataKeyPairWithoutPlaintext = "GenerateDataKeyPairWithoutPlaintext"
    case reEncryptFrom = "ReEncryptFrom"
    case reEncryptTo = "ReEncryptTo"
    case retireGrant = "RetireGrant"

    case decapsulate = "Decapsulate"
    case deriveSharedSecret = "DeriveSharedSecret"
    case encapsulate = "Encapsulate"
    case generateMac = "GenerateMac"
    case getPublicKey = "GetPublicKey"
    case sign = "Sign"
    case verify = "Verify"
    case verifyMac = "VerifyMac"

    package var fitsSymmetricKey: Bool {
        switch self {
        case .decapsulate, .deriveSharedSecret, .encapsulate, .generateMac, .getPublicKey, .sign, .verify, .verifyMac: false
        default: true
        }
    }
}
