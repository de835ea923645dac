import AWSProtocol
import Envelope
import EnvelopeKMS
import Secrets
import Synchronization

/// KMS that is asked once about each sealed data key: ten thousand altered messages differ in their data key or context only
/// now and then. Refusals are not remembered.
final class RememberedDataKeys: KMSDataKeys {
    private struct Question: Hashable {
        var ciphertext: [UInt8]
        var keyARN: String
        var context: [String: String]
    }

    private let kms: any KMSDataKeys
    private let answers = Mutex<[Question: [UInt8]]>([:])

    init(_ kms: any KMSDataKeys) { self.kms = kms }

    func generateDataKey(
        keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws -> (secret: SharedSecret, ciphertext: [UInt8], keyARN: String) {
        try await kms.generateDataKey(keyARN: keyARN, context: context, grantTokens: grantTokens)
    }

    func encrypt(
        _ dataKey: SharedSecret, keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws -> (ciphertext: [UInt8], keyARN: String) {
        try await kms.encrypt(dataKey, keyARN: keyARN, context: context, grantTokens: grantTokens)
    }

    func decrypt(
        _ ciphertext: [UInt8], keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws -> (secret: SharedSecret, keyARN: String) {
        let question = Question(ciphertext: ciphertext, keyARN: keyARN, context: context)
        if let known = answers.withLock({ $0[question] }) {
            return (SharedSecret(SecretBytes(count: known.count) { $0.copyBytes(from: known) }), keyARN)
        }
        let answer = try await kms.decrypt(ciphertext, keyARN: keyARN, context: context, grantTokens: grantTokens)
        let bytes = try answer.secret.withUnsafeBytes { Array($0) }
        answers.withLock { $0[question] = bytes }
        return answer
    }

    func decryptDryRun(
        _ ciphertext: [UInt8], keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws {
        try await kms.decryptDryRun(ciphertext, keyARN: keyARN, context: context, grantTokens: grantTokens)
    }

    /// The plaintext of every data key that was asked for.
    var dataKeys: [[UInt8]] { answers.withLock { Array($0.values) } }
}
