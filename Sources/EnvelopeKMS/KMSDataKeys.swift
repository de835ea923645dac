package import Envelope
package import Secrets

/// The three operations of KMS that messages need, as this room sees them; the KMS client and tests conform.
///
/// Errors are `AWSError`s of the service, or of the client where no answer came.
package protocol KMSDataKeys: Sendable {
    /// A data key of 32 bytes; `keyARN` is the KeyId of the answer.
    func generateDataKey(
        keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws -> (secret: SharedSecret, ciphertext: [UInt8], keyARN: String)

    /// `keyARN` of the answer is KMS's word on which key it used.
    func decrypt(
        _ ciphertext: [UInt8], keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws -> (secret: SharedSecret, keyARN: String)

    /// Returns where the decryption would be allowed now, throws KMS's refusal where not. No key comes back.
    func decryptDryRun(
        _ ciphertext: [UInt8], keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws
}
