package import AWSClients
package import Envelope
package import Secrets

extension KMSClient: KMSDataKeys {
    package func generateDataKey(
        keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws -> (secret: SharedSecret, ciphertext: [UInt8], keyARN: String) {
        let key = try await generateDataKey(keyARN, encryptionContext: context, grantTokens: grantTokens)
        return (key.plaintext, key.ciphertext, key.keyARN)
    }

    package func decrypt(
        _ ciphertext: [UInt8], keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws -> (secret: SharedSecret, keyARN: String) {
        // The client refuses an answer that names another key than this ARN.
        (try await decrypt(ciphertext, keyID: keyARN, encryptionContext: context, grantTokens: grantTokens), keyARN)
    }

    package func decryptDryRun(
        _ ciphertext: [UInt8], keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws {
        try await decryptDryRun(ciphertext, keyID: keyARN, encryptionContext: context, grantTokens: grantTokens)
    }
}
