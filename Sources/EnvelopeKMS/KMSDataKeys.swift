package import Envelope
package import Secrets

/// The operations of KMS that messages need, as this room sees them; the KMS client and tests conform.
///
/// Errors are `AWSError`s of the service, or of the client where no answer came.
package protocol KMSDataKeys: Sendable {
    /// A data key of 32 bytes; `keyARN` is the KeyId of the answer.
    func generateDataKey(
        keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws -> (secret: SharedSecret, ciphertext: [UInt8], keyARN: String)

    /// The data key that another key made, under this one too; `keyARN` is the KeyId of the answer.
    func encrypt(
        _ dataKey: SharedSecret, keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws -> (ciphertext: [UInt8], keyARN: String)

    /// `keyARN` of the answer is KMS's word on which key it used.
    func decrypt(
        _ ciphertext: [UInt8], keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws -> (secret: SharedSecret, keyARN: String)

    /// Returns where the decryption would be allowed now, throws KMS's refusal where not. No key comes back.
    func decryptDryRun(
        _ ciphertext: [UInt8], keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws
}

extension KMSDataKeys {
    /// Decrypts under the key named, and no other: an answer that names another one is refused.
    func open(
        _ key: EncryptedDataKey, keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws -> SharedSecret {
        let answer = try await decrypt(key.ciphertext, keyARN: keyARN, context: context, grantTokens: grantTokens)
        guard answer.keyARN.utf8.elementsEqual(keyARN.utf8) else {
            answer.secret.wipe()
            throw EnvelopeError.authentication
        }
        return answer.secret
    }
}
