package import Envelope
package import Secrets

/// A cipher that changes nothing and believes every tag, for fuzzing alone: behind a real one, an altered message ends at its
/// first tag, and nothing that reads frames, numbers and lengths would ever see strange input.
///
/// Every key, commitment and digest is zeroes, so a message is well-made for it when its commitment is zeroes.
package struct TransparentBackend: CipherBackend {
    package init() {}

    package var name: String { "transparent" }

    package func makeCipher(key: UnsafeRawBufferPointer) throws -> any FrameCipher { TransparentCipher() }

    package func deriveHKDF(
        _ hash: HashAlgorithm, inputKey: UnsafeRawBufferPointer, salt: UnsafeRawBufferPointer,
        outputs: [(info: [UInt8], bytes: UnsafeMutableRawBufferPointer)]
    ) throws {
        for output in outputs { zero(output.bytes) }
    }

    package func makeDigest(_ hash: HashAlgorithm) throws -> any RunningDigest { TransparentDigest(hash) }

    package func makeSigner(_ curve: SignatureCurve) throws -> any MessageSigner { TransparentSigner(curve) }

    package func makeVerifier(_ curve: SignatureCurve, compressedPublicKey: [UInt8]) throws -> any MessageVerifier {
        TransparentVerifier()
    }

    package func fillRandom(_ bytes: UnsafeMutableRawBufferPointer) throws { zero(bytes) }
}

private final class TransparentDigest: RunningDigest {
    private let hash: HashAlgorithm

    init(_ hash: HashAlgorithm) { self.hash = hash }

    func update(_ bytes: UnsafeRawBufferPointer) throws {}
    func finish() throws -> [UInt8] { [UInt8](repeating: 0, count: hash.byteCount) }
}

private final class TransparentSigner: MessageSigner {
    private let curve: SignatureCurve

    init(_ curve: SignatureCurve) { self.curve = curve }

    /// SEC 1's mark of a compressed point, then a coordinate (as long as the curve's digest).
    var compressedPublicKey: [UInt8] { [2] + [UInt8](repeating: 0, count: curve.hash.byteCount) }
    func sign(digest: [UInt8]) throws -> [UInt8] { [UInt8](repeating: 0, count: curve.signatureBytes) }
}

private final class TransparentVerifier: MessageVerifier {
    func isValid(signature: [UInt8], digest: [UInt8]) -> Bool { true }
}

private final class TransparentCipher: FrameCipher {
    private static let tagBytes = 16

    func wipe() {}

    func seal(
        _ plaintext: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer,
        into sealed: UnsafeMutableRawBufferPointer
    ) throws {
        precondition(sealed.count == plaintext.count + Self.tagBytes, "A sealed frame has 16 bytes more.")
        sealed.copyMemory(from: plaintext)
        zero(UnsafeMutableRawBufferPointer(rebasing: sealed[plaintext.count...]))
    }

    func open(
        _ sealed: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer,
        into plaintext: UnsafeMutableRawBufferPointer
    ) throws {
        precondition(sealed.count == plaintext.count + Self.tagBytes, "A sealed frame has 16 bytes more.")
        plaintext.copyMemory(from: UnsafeRawBufferPointer(rebasing: sealed[..<plaintext.count]))
    }
}

private func zero(_ bytes: UnsafeMutableRawBufferPointer) {
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
}

/// Answers every message's data key with zeroes, as long as its first encrypted key says, whatever that is.
package struct CredulousProvider: DataKeyProvider {
    package init() {}

    private static let keyBytes = 32
    private static let shorterKeyBytes: Set<Int> = [16, 24]
    private static let tagBytes = 16

    private static func zeroes(_ count: Int) -> SharedSecret { SharedSecret(SecretBytes(count: count) { _ in }) }

    package func generate(context: EncryptionContext) async throws -> GeneratedDataKey {
        GeneratedDataKey(
            secret: Self.zeroes(Self.keyBytes),
            encrypted: [EncryptedDataKey(providerID: "any", providerInfo: [], ciphertext: [0])])
    }

    package func open(_ keys: [EncryptedDataKey], context: EncryptionContext) async throws -> SharedSecret {
        let bytes = keys.first.map { $0.ciphertext.count - Self.tagBytes } ?? Self.keyBytes
        return Self.zeroes(Self.shorterKeyBytes.contains(bytes) ? bytes : Self.keyBytes)
    }
}
