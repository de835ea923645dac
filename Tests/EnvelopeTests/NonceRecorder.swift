import Envelope
import Foundation
import Glibc
import Secrets
import Synchronization
import Testing

/// Case 40: a backend that notes every (key, nonce), and a digest of what was sealed under it.
final class NonceRecorder: CipherBackend {
    private struct Entry: Hashable {
        let key: [UInt8]
        let nonce: [UInt8]
    }

    private let inner: any CipherBackend
    private let seen = Mutex<[Entry: [UInt8]]>([:])
    private let clashes = Mutex<Int>(0)

    init(_ inner: any CipherBackend) { self.inner = inner }

    var name: String { "recorder" }
    /// Pairs of key and nonce.
    var sealings: Int { seen.withLock { $0.count } }
    var keys: Int { seen.withLock { Set($0.keys.map(\.key)).count } }
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

    private func note(
        key: [UInt8], nonce: UnsafeRawBufferPointer, _ plaintext: UnsafeRawBufferPointer, _ associated: UnsafeRawBufferPointer
    ) throws {
        let digest = try inner.makeDigest(.sha256)
        // The plaintext's length first: where it ends and the associated data begin must not be a matter of taste.
        try withUnsafeBytes(of: plaintext.count) { try digest.update($0) }
        try digest.update(plaintext)
        try digest.update(associated)
        let content = try digest.finish()
        let earlier = seen.withLock { $0.updateValue(content, forKey: Entry(key: key, nonce: Array(nonce))) }
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
            try recorder.note(key: key, nonce: nonce, plaintext, associatedData)
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
    /// The recorder itself: it must see what it is there for.
    @Test func theRecorderNoticesASecondPlaintext() throws {
        let recorder = NonceRecorder(BoringSSLBackend())
        let cipher = try recorder.cipher(key: pattern(32))
        let nonce = [UInt8](1...12)
        for _ in 0..<2 { _ = try cipher.seal([1], nonce: nonce) }
        #expect(recorder.reuses == 0)
        _ = try cipher.seal([2], nonce: nonce)
        #expect(recorder.reuses == 1)
        _ = try recorder.cipher(key: pattern(32)).seal([2], nonce: nonce, associatedData: [1])
        #expect(recorder.reuses == 2 && recorder.sealings == 1)
    }

    @Test(arguments: everyBackend, [AlgorithmSuite.committed, .committedAndSigned])
    func noTwoPlaintextsShareKeyAndNonce(backend: any CipherBackend, suite: AlgorithmSuite) async throws {
        let recorder = NonceRecorder(backend)
        let provider = MultiKeyring(
            generator: try recordedKeyring(recorder, byte: 1), others: [try recordedKeyring(recorder, byte: 2)])
        // The same content sealed again, as after a crash, and other content.
        for seed: UInt64 in [1, 1, 2] {
            let message = try await MessageSealer.sealMessage(
                pattern(16 * 5 + 3, seed: seed), provider: provider, context: [:], suite: suite, frameBytes: 16,
                backend: recorder)
            let opened = try await MessageOpener.openMessage(message, provider: provider, backend: recorder)
            #expect(opened.plaintext == pattern(16 * 5 + 3, seed: seed))
        }
        // Three messages of six frames, a header and two wrapped data keys each, every one under a nonce of its own: three
        // message keys and two wrapping keys.
        #expect(recorder.sealings == 3 * (6 + 1 + 2))
        #expect(recorder.keys == 3 + 2)
        #expect(recorder.reuses == 0)
    }

    @Test(arguments: everyBackend)
    func threadsTakeEveryFrameNumberOnce(backend: any CipherBackend) async throws {
        let recorder = NonceRecorder(backend)
        let provider = try recordedKeyring(recorder)
        var options = PassOptions()
        (options.threads, options.batchBytes) = (4, 64)
        try await withTemporaryFolder { folder in
            let (source, target) = (folder.appending(path: "in"), folder.appending(path: "out"))
            try Data(pattern(16 * 1000 + 7)).write(to: source)
            for inOrder in [false, true] {
                try Data().write(to: target)
                let (reading, writing) = (open(source.path, O_RDONLY), open(target.path, O_WRONLY))
                defer {
                    close(reading)
                    close(writing)
                }
                let input =
                    inOrder ? ByteChannel(descriptor: reading, access: .sequential) : try ByteChannel.file(reading)
                let sealer = try await MessageSealer(
                    provider: provider, context: [:], frameBytes: 16, backend: recorder)
                _ = try await ParallelSealer(sealer, options: options).seal(input, into: try ByteChannel.file(writing))
            }
        }
        #expect(recorder.sealings == 2 * (1001 + 1 + 1))
        #expect(recorder.reuses == 0)
    }

    /// One wrapping key serves many messages, which have nothing to count by: its nonces are drawn.
    @Test(arguments: everyBackend)
    func everyWrappedDataKeyHasANonceOfItsOwn(backend: any CipherBackend) async throws {
        let recorder = NonceRecorder(backend)
        let provider = try recordedKeyring(recorder)
        let dataKey = try await provider.generate(context: [:]).secret
        for _ in 0..<500 { _ = try await provider.generate(context: ["a": "b"]) }
        // The same data key for several messages' recipients, too.
        for _ in 0..<500 { _ = try await provider.wrap(dataKey, context: [:]) }
        #expect(recorder.sealings == 1001)
        #expect(recorder.keys == 1)
        #expect(recorder.reuses == 0)
    }

    /// Half a message, then a fault, then the whole of another: nothing of the first key is used again.
    @Test(arguments: everyBackend)
    func sealingAgainAfterAFailureTakesANewKey(backend: any CipherBackend) async throws {
        let recorder = NonceRecorder(backend)
        let provider = try recordedKeyring(recorder)
        let broken = try await MessageSealer(provider: provider, context: [:], frameBytes: 16, backend: recorder)
        var frame = [UInt8](repeating: 0, count: 64)
        for index in 0..<3 {
            try frame.withUnsafeMutableBytes { output in
                try pattern(16, seed: UInt64(index)).withUnsafeBytes { plaintext in
                    _ = try broken.sealFrame(index, plaintext, isFinal: false, into: output)
                }
            }
        }
        broken.wipe()
        #expect(throws: SecretError.wiped) {
            try frame.withUnsafeMutableBytes { output in
                try pattern(16, seed: 9).withUnsafeBytes { plaintext in
                    _ = try broken.sealFrame(3, plaintext, isFinal: false, into: output)
                }
            }
        }
        let again = try await MessageSealer.sealMessage(
            pattern(16 * 4, seed: 10), provider: provider, context: [:], frameBytes: 16, backend: recorder)
        #expect(try await MessageOpener.openMessage(again, provider: provider, backend: recorder).plaintext.count == 64)
        #expect(recorder.keys == 2 + 1)
        #expect(recorder.reuses == 0)
    }

    private func recordedKeyring(_ recorder: NonceRecorder, byte: UInt8 = 0x2A) throws -> RawAESKeyring {
        let key = SharedSecret(SecretBytes(count: 32) { $0.initializeMemory(as: UInt8.self, repeating: byte) })
        return try RawAESKeyring(namespace: "tests", name: "key", wrappingKey: key, backend: recorder)
    }
}
