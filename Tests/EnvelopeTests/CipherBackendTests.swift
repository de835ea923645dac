import Envelope
import Secrets
import Synchronization
import Testing

@Suite struct CipherBackendTests {
    private let nonce = [UInt8](1...12)
    private static let content = pattern(300_003)

    @Test(arguments: backendPairs)
    func oneOpensWhatTheOtherSealed(one: any CipherBackend, other: any CipherBackend) throws {
        for keyBytes in [16, 24, 32] {
            let key = pattern(keyBytes, seed: 3)
            let (sealing, opening) = (try one.cipher(key: key), try other.cipher(key: key))
            for size in [0, 1, 15, 16, 17, 4096, 65_536, Self.content.count] {
                let (plaintext, associated) = (Array(Self.content[..<size]), pattern(size % 100, seed: 2))
                let sealed = try sealing.seal(plaintext, nonce: nonce, associatedData: associated)
                #expect(try opening.seal(plaintext, nonce: nonce, associatedData: associated) == sealed)
                let opened = opening.open(sealed, nonce: nonce, associatedData: associated)
                #expect(opened.error == nil && opened.plaintext == plaintext)
            }
        }
    }

    @Test(arguments: backendPairs, [AlgorithmSuite.committed, .committedAndSigned])
    func oneOpensTheMessagesOfTheOther(pair: (any CipherBackend, any CipherBackend), suite: AlgorithmSuite) async throws {
        let key = SharedSecret(SecretBytes(count: 32) { $0.initializeMemory(as: UInt8.self, repeating: 7) })
        let wrapping = try RawAESKeyring(namespace: "tests", name: "key", wrappingKey: key, backend: pair.0)
        let unwrapping = try RawAESKeyring(namespace: "tests", name: "key", wrappingKey: key, backend: pair.1)
        for size in [0, 1, 4096, 10_001] {
            let message = try await MessageSealer.sealMessage(
                pattern(size), provider: wrapping, context: ["a": "b"], suite: suite, frameBytes: 1000, backend: pair.0)
            let opened = try await MessageOpener.openMessage(message, provider: unwrapping, backend: pair.1)
            #expect(opened.plaintext == pattern(size))
        }
    }

    @Test(arguments: everyBackend)
    func everyAlteredByteIsRefusedAndTheCipherGoesOn(backend: any CipherBackend) throws {
        let cipher = try backend.cipher(key: pattern(32))
        let (plaintext, associated) = (pattern(40, seed: 5), pattern(9))
        let sealed = try cipher.seal(plaintext, nonce: nonce, associatedData: associated)
        for index in sealed.indices {
            var altered = sealed
            altered[index] ^= 0x10
            let opened = cipher.open(altered, nonce: nonce, associatedData: associated)
            #expect(opened.error as? EnvelopeError == .authentication)
            #expect(opened.plaintext.allSatisfy { $0 == 0 })
        }
        #expect(cipher.open(sealed, nonce: nonce).error as? EnvelopeError == .authentication)
        #expect(cipher.open(sealed, nonce: nonce, associatedData: associated).plaintext == plaintext)
    }

    @Test(arguments: everyBackend, [0, 1, 15, 17, 31, 33, 64])
    func otherKeyLengthsAreRefused(backend: any CipherBackend, count: Int) {
        #expect(throws: EnvelopeError.self) { try backend.cipher(key: pattern(count)) }
    }

    @Test(arguments: everyBackend)
    func aWipedCipherIsOfNoUse(backend: any CipherBackend) throws {
        let cipher = try backend.cipher(key: pattern(32))
        let sealed = try cipher.seal([1, 2, 3], nonce: nonce)
        for _ in 0..<2 {
            cipher.wipe()
            #expect(throws: SecretError.wiped) { try cipher.seal([1, 2, 3], nonce: nonce) }
            #expect(cipher.open(sealed, nonce: nonce).error as? SecretError == .wiped)
        }
    }

    @Test(arguments: everyBackend)
    func severalThreadsSealAndOpenUnderOneKey(backend: any CipherBackend) async throws {
        let cipher = try backend.cipher(key: pattern(32))
        let expected = try (0..<64).map { try cipher.seal(pattern(1000 + $0), nonce: nonce, associatedData: [UInt8($0)]) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<64 {
                group.addTask {
                    for _ in 0..<20 {
                        let plaintext = pattern(1000 + task)
                        let sealed = try cipher.seal(plaintext, nonce: nonce, associatedData: [UInt8(task)])
                        #expect(sealed == expected[task])
                        let opened = cipher.open(sealed, nonce: nonce, associatedData: [UInt8(task)])
                        #expect(opened.error == nil && opened.plaintext == plaintext)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Whatever moment it hits: a call ends with the right bytes or throws `wiped`.
    @Test(arguments: everyBackend)
    func wipingWhileOthersSealIsSafe(backend: any CipherBackend) async throws {
        let plaintext = pattern(4096)
        let expected = try backend.cipher(key: pattern(32)).seal(plaintext, nonce: nonce)
        for _ in 0..<10 {
            let cipher = try backend.cipher(key: pattern(32))
            let begun = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        while true {
                            begun.value.add(1, ordering: .relaxed)
                            // Where there are few cores, the one who wipes needs a turn as well.
                            await Task.yield()
                            do {
                                let sealed = try cipher.seal(plaintext, nonce: nonce)
                                #expect(sealed == expected)
                            } catch let error as SecretError where error == .wiped {
                                return
                            }
                        }
                    }
                }
                group.addTask {
                    while begun.value.load(ordering: .relaxed) < 20 { await Task.yield() }
                    cipher.wipe()
                }
                try await group.waitForAll()
            }
        }
    }

    @Test(arguments: backendPairs, HashAlgorithm.allCases)
    func bothDeriveAndDigestAlike(pair: (any CipherBackend, any CipherBackend), hash: HashAlgorithm) throws {
        let (one, other) = pair
        // Salts and keys of up to and beyond a hash's block; outputs around a digest's length and the longest.
        for (keyBytes, saltBytes) in [(32, 0), (32, 16), (32, 32), (1, 63), (64, 64), (65, 65), (200, 128), (300, 129)] {
            for count in [1, 32, hash.byteCount - 1, hash.byteCount, hash.byteCount + 1, 255 * hash.byteCount] {
                let (key, salt) = (pattern(keyBytes), pattern(saltBytes, seed: 2))
                let info = pattern(count % 40, seed: 4)
                #expect(
                    try one.derive(hash, key: key, salt: salt, info: info, count: count)
                        == other.derive(hash, key: key, salt: salt, info: info, count: count))
            }
        }
        for count in [0, 255 * hash.byteCount + 1] {
            #expect(throws: EnvelopeError.self) { try one.derive(hash, key: [1], salt: [], info: [], count: count) }
        }
        let parts = [pattern(100), [], pattern(1), pattern(5000)]
        let digest = try one.digest(hash, of: parts)
        #expect(digest.count == hash.byteCount)
        #expect(try other.digest(hash, of: [parts.flatMap { $0 }]) == digest)
    }

    /// Several outputs are what each alone would be (RFC 5869 has one extraction for all).
    @Test(arguments: everyBackend)
    func outputsOfOneDerivationAreIndependent(backend: any CipherBackend) throws {
        var (first, second) = ([UInt8](repeating: 0, count: 32), [UInt8](repeating: 0, count: 70))
        let key = pattern(32)
        try key.withUnsafeBytes { key in
            try first.withUnsafeMutableBytes { first in
                try second.withUnsafeMutableBytes { second in
                    try backend.deriveHKDF(
                        .sha512, inputKey: key, salt: UnsafeRawBufferPointer(start: nil, count: 0),
                        outputs: [([1], first), ([2], second)])
                }
            }
        }
        #expect(try first == backend.derive(.sha512, key: key, salt: [], info: [1], count: 32))
        #expect(try second == backend.derive(.sha512, key: key, salt: [], info: [2], count: 70))
    }

    @Test(arguments: everyBackend)
    func randomBytesFillTheBufferAndDiffer(backend: any CipherBackend) throws {
        let draws = try (0..<50).map { _ in try backend.randomBytes(32) }
        #expect(Set(draws).count == 50)
        // A byte that is zero in every draw was never written: by chance, once in 2^400.
        for index in 0..<32 { #expect(draws.contains { $0[index] != 0 }) }
        #expect(try backend.randomBytes(0).isEmpty)
    }
}

private final class Counter: Sendable {
    let value = Atomic(0)
}
