import AWSProtocol
import ArtifactsTesting
import Envelope
import EnvelopeKMS
import Secrets
import Synchronization

/// KMS in memory that refuses some keys.
final class SelectiveKMS: KMSDataKeys {
    let inner = FakeKMS()
    private let refusals = Mutex<[String: String]>([:])

    /// From now on, calls for these keys fail with these codes.
    func refuse(_ codes: [String: String]) { refusals.withLock { $0 = codes } }

    private func check(_ keyARN: String) throws {
        if let code = refusals.withLock({ $0[keyARN] }) { throw AWSError(code: code, message: "") }
    }

    func generateDataKey(
        keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws -> (secret: SharedSecret, ciphertext: [UInt8], keyARN: String) {
        try check(keyARN)
        return try await inner.generateDataKey(keyARN: keyARN, context: context, grantTokens: grantTokens)
    }

    func encrypt(
        _ dataKey: SharedSecret, keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws -> (ciphertext: [UInt8], keyARN: String) {
        try check(keyARN)
        return try await inner.encrypt(dataKey, keyARN: keyARN, context: context, grantTokens: grantTokens)
    }

    func decrypt(
        _ ciphertext: [UInt8], keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws -> (secret: SharedSecret, keyARN: String) {
        try check(keyARN)
        return try await inner.decrypt(ciphertext, keyARN: keyARN, context: context, grantTokens: grantTokens)
    }

    func decryptDryRun(
        _ ciphertext: [UInt8], keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws {
        try check(keyARN)
        try await inner.decryptDryRun(ciphertext, keyARN: keyARN, context: context, grantTokens: grantTokens)
    }
}
