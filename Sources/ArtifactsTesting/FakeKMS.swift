package import AWSProtocol
package import Envelope
import EnvelopeKMS
package import Secrets
import Synchronization

/// KMS in memory, for tests: data keys by handle, bound to key and context, and a switch for each fault.
package final class FakeKMS: KMSDataKeys {
    private struct State: Sendable {
        var keys: [[UInt8]: (material: [UInt8], keyARN: String, context: [String: String])] = [:]
        var calls: [String] = []
        /// Thrown by every call while set.
        var failure: AWSError?
        /// KeyId of the answers, where it is not the key that was asked for.
        var answersAs: String?
        var issued: [SharedSecret] = []
    }

    private let state = Mutex(State())

    package init() {}

    package static let revoked = AWSError.accessDenied("The grant was revoked.")

    /// Every call throws this from now on; `nil` ends it.
    package func fail(_ error: AWSError?) { state.withLock { $0.failure = error } }
    package var calls: [String] { state.withLock { $0.calls } }
    /// Answers name this key instead of the one that was asked for.
    package func answer(as keyARN: String?) { state.withLock { $0.answersAs = keyARN } }
    package func forgetCalls() { state.withLock { $0.calls = [] } }
    /// Data keys that were handed out, so that tests can see them wiped.
    package var issued: [SharedSecret] { state.withLock { $0.issued } }

    private func begin(_ call: String) throws {
        try state.withLock { state in
            state.calls.append(call)
            if let failure = state.failure { throw failure }
        }
    }

    package func generateDataKey(
        keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws -> (secret: SharedSecret, ciphertext: [UInt8], keyARN: String) {
        try begin("GenerateDataKey")
        var generator = SystemRandomNumberGenerator()
        let material = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let handle = (0..<48).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let secret = SharedSecret(SecretBytes(count: 32) { $0.copyBytes(from: material) })
        let name = state.withLock { state in
            state.keys[handle] = (material, keyARN, context)
            state.issued.append(secret)
            return state.answersAs ?? keyARN
        }
        return (secret, handle, name)
    }

    package func encrypt(
        _ dataKey: SharedSecret, keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws -> (ciphertext: [UInt8], keyARN: String) {
        try begin("Encrypt")
        var generator = SystemRandomNumberGenerator()
        let handle = (0..<48).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let material = try dataKey.withUnsafeBytes { Array($0) }
        return state.withLock { state in
            state.keys[handle] = (material, keyARN, context)
            return (handle, state.answersAs ?? keyARN)
        }
    }

    package func decrypt(
        _ ciphertext: [UInt8], keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws -> (secret: SharedSecret, keyARN: String) {
        try begin("Decrypt")
        let material = try look(ciphertext, keyARN, context)
        let secret = SharedSecret(SecretBytes(count: 32) { $0.copyBytes(from: material) })
        return state.withLock { state in
            state.issued.append(secret)
            return (secret, state.answersAs ?? keyARN)
        }
    }

    package func decryptDryRun(
        _ ciphertext: [UInt8], keyARN: String, context: EncryptionContext, grantTokens: [String]
    ) async throws {
        try begin("DryRun")
        _ = try look(ciphertext, keyARN, context)
    }

    private func look(_ ciphertext: [UInt8], _ keyARN: String, _ context: [String: String]) throws -> [UInt8] {
        guard let key = state.withLock({ $0.keys[ciphertext] }), key.keyARN == keyARN, key.context == context else {
            throw AWSError(code: "InvalidCiphertextException", message: "")
        }
        return key.material
    }
}
