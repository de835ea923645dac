import Crypto
import Synchronization

/// The lock is never contended: it makes a misuse by two threads a wrong digest instead of a broken memory.
final class BoringSSLDigest<Hash: HashFunction & Sendable>: RunningDigest {
    private let hash: Mutex<Hash>

    init(_ hash: Hash) { self.hash = Mutex(hash) }

    func update(_ bytes: UnsafeRawBufferPointer) { hash.withLock { $0.update(bufferPointer: bytes) } }

    func finish() -> [UInt8] { hash.withLock { Array($0.finalize()) } }
}

/// A digest that was computed elsewhere, in the shape that swift-crypto signs.
struct ComputedDigest: Digest {
    static var byteCount: Int { HashAlgorithm.sha512.byteCount }

    let bytes: [UInt8]

    func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R { try bytes.withUnsafeBytes(body) }

    var description: String { "digest of \(bytes.count) bytes" }
}
