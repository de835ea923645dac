import Envelope
import Secrets
import Synchronization
import Testing

/// Case 40: a cipher that notes every (key, nonce) and what was sealed under it.
final class NonceRecorder: CipherBackend {
    private struct Entry: Hashable {
        let key: [UInt8]
        let nonce: [UInt8]
    }

    private let inner = BoringSSLBackend()
    private let seen = Mutex<[Entry: [UInt8]]>([:])
    private let clashes = Mutex<Int>(0)

    var name: String { "recorder" }
    var sealings: Int { seen.withLock { $0.count } }
    /// Two plaintexts or associated data under one key and nonce.
    var reuses: Int { clashes.withLock { $0 } }

    func makeCipher(key: UnsafeRawBufferPointer) throws -> any FrameCipher {
        Recording(inner: try inner.makeCipher(key: key), key: Array(key), recorder: self)
    }

    func deriveHKDF(
        _ hash: HashAlgorithm, inputKey: UnsafeRawBufferPointer, salt: UnsafeRawBufferPointer,
        outputs: [(info: [UInt8], bytes: UnsafeMutableRawBufferPointer)]
    ) throws {
        try inner.deriveHKDF(hash, inputKey: inputKey, salt: salt, outputs: outputs)
    }

    func makeDigest(_ hash: HashAlgorithm) throws -> any RunningDigest { try inner.makeDigest(hash) }
    func makeSigner(_ curve: SignatureCurve) throws -> any MessageSigner { try inner.makeSigner(curve) }
    func makeVerifier(_ curve: SignatureCurve, compressedPublicKey: [UInt8]) throws -> any MessageVerifier {
        try inner.makeVerifier(curve, compressedPublicKey: compressedPublicKey)
    }
    func fillRandom(_ bytes: UnsafeMutableRawBufferPointer) throws { try inner.fillRandom(bytes) }

    private func note(key: [UInt8], nonce: [UInt8], content: [UInt8]) {
        let earlier = seen.withLock { $0.updateValue(content, forKey: Entry(key: key, nonce: nonce)) }
        if let earlier, earlier != content { clashes.withLock { $0 += 1 } }
    }

    private final class Recording: FrameCipher {
        let inner: any FrameCipher
        let key: [UInt8]
        let recorder: NonceRecorder

        init(inner: any FrameCipher, key: [UInt8], recorder: NonceRecorder) {
            self.inner = inner
            self.key = key
            self.recorder = recorder
        }

        func wipe() { inner.wipe() }

        func seal(
            _ plaintext: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer,
            into sealed: UnsafeMutableRawBufferPointer
        ) throws {
            recorder.note(key: key, nonce: Array(nonce), content: Array(plaintext) + [0xFF] + Array(associatedData))
            try inner.seal(plaintext, nonce: nonce, associatedData: associatedData, into: sealed)
        }

        func open(
            _ sealed: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer,
            into plaintext: UnsafeMutableRawBufferPointer
        ) throws {
            try inner.open(sealed, nonce: nonce, associatedData: associatedData, into: plaintext)
        }
    }
}

@Suite struct NonceReuseTests {
    @Test func noTwoPlaintextsShareKeyAndNonce() async throws {
        let recorder = NonceRecorder()
        let provider = try keyring()
        // The same content sealed again, as after a crash, and other content.
        for seed: UInt64 in [1, 1, 2] {
            _ = try await MessageSealer.sealMessage(
                pattern(16 * 5 + 3, seed: seed), provider: provider, context: [:], frameBytes: 16, backend: recorder)
        }
        // Three messages of six frames and a header each, every one under a nonce of its own.
        #expect(recorder.sealings == 3 * 7)
        #expect(recorder.reuses == 0)
    }
}
