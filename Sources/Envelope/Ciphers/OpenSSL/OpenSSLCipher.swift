import COpenSSL
import Secrets
import Synchronization

/// A pool of contexts under one key, as many as threads use it at once: each runs the key schedule once and is then used
/// for frame after frame.
///
/// The key stays in locked memory for contexts still to be made; OpenSSL's own copies are wiped, not locked.
final class OpenSSLCipher: FrameCipher {
    private let library: OpenSSLLibrary
    private let algorithm: UnsafeAlgorithm
    private let key: SharedSecret
    /// `nil` once wiped: a context that comes back then is freed.
    private let idle: Mutex<[OpenSSLCipherContext]?>

    /// A context more than this is freed instead of kept.
    private static let maximumIdleContexts = 64

    init(library: OpenSSLLibrary, algorithm: OpaquePointer, key: UnsafeRawBufferPointer) {
        self.library = library
        self.algorithm = UnsafeAlgorithm(handle: algorithm)
        self.key = SharedSecret(SecretBytes(copying: key))
        var contexts: [OpenSSLCipherContext] = []
        contexts.reserveCapacity(Self.maximumIdleContexts)
        idle = Mutex(contexts)
    }

    func wipe() {
        idle.withLock { $0 = nil }
        key.wipe()
    }

    func seal(
        _ plaintext: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer,
        into sealed: UnsafeMutableRawBufferPointer
    ) throws {
        precondition(sealed.count == plaintext.count + AlgorithmSuite.tagBytes, "A sealed frame has 16 bytes more.")
        guard nonce.count == AlgorithmSuite.nonceBytes else { throw EnvelopeError.invalidInput("A nonce has 12 bytes.") }
        try withContext { try $0.seal(plaintext, nonce: nonce, associatedData: associatedData, into: sealed) }
    }

    func open(
        _ sealed: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer,
        into plaintext: UnsafeMutableRawBufferPointer
    ) throws {
        precondition(sealed.count == plaintext.count + AlgorithmSuite.tagBytes, "A sealed frame has 16 bytes more.")
        guard nonce.count == AlgorithmSuite.nonceBytes else { throw EnvelopeError.authentication }
        try withContext { try $0.open(sealed, nonce: nonce, associatedData: associatedData, into: plaintext) }
    }

    private func withContext(_ body: (OpenSSLCipherContext) throws -> Void) throws {
        let context = try takeContext()
        defer { giveBack(context) }
        try body(context)
    }

    private func takeContext() throws -> OpenSSLCipherContext {
        let kept = try idle.withLock { contexts throws(SecretError) in
            guard contexts != nil else { throw .wiped }
            return contexts?.popLast()
        }
        return try kept ?? key.withUnsafeBytes { try OpenSSLCipherContext(algorithm: algorithm.handle, key: $0) }
    }

    private func giveBack(_ context: OpenSSLCipherContext) {
        idle.withLock { contexts in
            guard let count = contexts?.count, count < Self.maximumIdleContexts else { return }
            contexts?.append(context)
        }
    }
}

/// A fetched algorithm: never written after it was fetched, owned by the library, which outlives it.
private struct UnsafeAlgorithm: @unchecked Sendable {
    let handle: OpaquePointer
}
