package import AWSClients
import AWSProtocol
package import Envelope
package import Secrets

extension KMSClient: KMSDataKeys {
    package func generateDataKey(
        keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws -> (secret: SharedSecret, ciphertext: [UInt8], keyARN: String) {
        try Self.requireKeyARN(keyARN)
        let key = try await generateDataKey(keyARN, encryptionContext: context, grantTokens: grantTokens)
        return (key.plaintext, key.ciphertext, key.keyARN)
    }

    package func encrypt(
        _ dataKey: SharedSecret, keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws -> (ciphertext: [UInt8], keyARN: String) {
        try Self.requireKeyARN(keyARN)
        return try await encrypt(dataKey, keyID: keyARN, encryptionContext: context, grantTokens: grantTokens)
    }

    package func decrypt(
        _ ciphertext: [UInt8], keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws -> (secret: SharedSecret, keyARN: String) {
        try Self.requireKeyARN(keyARN)
        // For the ARN of a key, the client refuses an answer that names another one.
        let secret = try await decrypt(
            ciphertext, keyID: keyARN, encryptionContext: context, grantTokens: grantTokens)
        return (secret, keyARN)
    }

    package func decryptDryRun(
        _ ciphertext: [UInt8], keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws {
        try Self.requireKeyARN(keyARN)
        try await decryptDryRun(ciphertext, keyID: keyARN, encryptionContext: context, grantTokens: grantTokens)
    }

    /// An alias could be pointed at another key between two calls.
    private static func requireKeyARN(_ text: String) throws(EnvelopeError) {
        guard let arn = ARN(text), arn.service == "kms", arn.resourceType == "key" else {
            throw .invalidInput("A data key is asked for by the ARN of its key.")
        }
    }
}
