import Crypto
import FoundationEssentials
import Secrets
import Synchronization

/// swift-crypto wipes its copy of the key when the last use of it ends; it does not lock it in memory.
final class BoringSSLCipher: FrameCipher {
    private let key: Mutex<SymmetricKey?>

    init(_ key: SymmetricKey) { self.key = Mutex(key) }

    func wipe() { key.withLock { $0 = nil } }

    private func heldKey() throws -> SymmetricKey {
        guard let key = key.withLock({ $0 }) else { throw SecretError.wiped }
        return key
    }

    func seal(
        _ plaintext: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer,
        into sealed: UnsafeMutableRawBufferPointer
    ) throws {
        precondition(sealed.count == plaintext.count + AlgorithmSuite.tagBytes, "A sealed frame has 16 bytes more.")
        let key = try heldKey()
        guard nonce.count == AlgorithmSuite.nonceBytes else { throw EnvelopeError.invalidInput("A nonce has 12 bytes.") }
        let box = try AES.GCM.seal(
            plaintext, using: key, nonce: AES.GCM.Nonce(data: nonce), authenticating: associatedData)
        guard let combined = box.combined else { throw EnvelopeError.invalidInput("A nonce has 12 bytes.") }
        combined.withUnsafeBytes { bytes in
            sealed.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[AlgorithmSuite.nonceBytes...]))
        }
    }

    func open(
        _ sealed: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer,
        into plaintext: UnsafeMutableRawBufferPointer
    ) throws {
        precondition(sealed.count == plaintext.count + AlgorithmSuite.tagBytes, "A sealed frame has 16 bytes more.")
        let key = try heldKey()
        guard nonce.count == AlgorithmSuite.nonceBytes else { throw EnvelopeError.authentication }
        var opened: Data
        do {
            opened = try AES.GCM.open(try box(nonce, sealed), using: key, authenticating: associatedData)
        } catch {
            throw EnvelopeError.authentication
        }
        // The library's buffer of plaintext goes back to the allocator: leave nothing readable in it.
        opened.withUnsafeMutableBytes { bytes in
            plaintext.copyMemory(from: UnsafeRawBufferPointer(bytes))
            Secrets.wipe(bytes)
        }
    }

    /// A copy of the frame as the library wants it: nonce, ciphertext, tag. In regular frames they stand like that already.
    private func box(_ nonce: UnsafeRawBufferPointer, _ sealed: UnsafeRawBufferPointer) throws -> AES.GCM.SealedBox {
        if let start = nonce.baseAddress, start + nonce.count == sealed.baseAddress {
            return try AES.GCM.SealedBox(combined: UnsafeRawBufferPointer(start: start, count: nonce.count + sealed.count))
        }
        let tagAt = sealed.count - AlgorithmSuite.tagBytes
        return try AES.GCM.SealedBox(
            nonce: AES.GCM.Nonce(data: nonce), ciphertext: UnsafeRawBufferPointer(rebasing: sealed[..<tagAt]),
            tag: UnsafeRawBufferPointer(rebasing: sealed[tagAt...]))
    }
}
