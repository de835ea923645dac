import COpenSSL
import Synchronization

/// An `EVP_MD_CTX`, freed with this object.
final class OpenSSLDigest: RunningDigest, @unchecked Sendable {
    // Sendable: every use of the context holds the lock. It is never contended: it makes a misuse by two threads a wrong
    // digest instead of broken memory.
    private let context: OpaquePointer
    private let lock = Mutex(())
    private let byteCount: Int

    init(library: OpenSSLLibrary, hash: HashAlgorithm) throws {
        guard let context = EVP_MD_CTX_new() else { throw EnvelopeError.openSSL("making a digest") }
        self.context = context
        byteCount = hash.byteCount
        guard EVP_DigestInit_ex2(context, library.digest(hash), nil) == 1 else {
            throw EnvelopeError.openSSL("beginning a digest")
        }
    }

    deinit { EVP_MD_CTX_free(context) }

    func update(_ bytes: UnsafeRawBufferPointer) throws {
        try lock.withLock { _ in
            guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else {
                throw EnvelopeError.openSSL("computing a digest")
            }
        }
    }

    func finish() throws -> [UInt8] {
        try lock.withLock { _ in
            var digest = [UInt8](repeating: 0, count: byteCount)
            var written: UInt32 = 0
            guard EVP_DigestFinal_ex(context, &digest, &written) == 1, Int(written) == byteCount else {
                throw EnvelopeError.openSSL("finishing a digest")
            }
            return digest
        }
    }
}
