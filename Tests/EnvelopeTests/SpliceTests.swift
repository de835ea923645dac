import Envelope
import EnvelopeFuzzing
import Secrets
import Testing

/// Case 39: parts of one message in another, where both were made under the same wrapping key, or even the same data key.
@Suite struct SpliceTests {
    /// Every message under one data key, as a fault of a key provider's would have it.
    private struct OneDataKey: DataKeyProvider {
        private let key = [UInt8](repeating: 7, count: 32)
        private var secret: SharedSecret { SharedSecret(SecretBytes(count: 32) { $0.copyBytes(from: key) }) }

        func generate(context: EncryptionContext) async throws -> GeneratedDataKey {
            GeneratedDataKey(
                secret: secret, encrypted: [EncryptedDataKey(providerID: "one", providerInfo: [1], ciphertext: [2])])
        }
        func open(_ keys: [EncryptedDataKey], context: EncryptionContext) async throws -> SharedSecret { secret }
        func wrap(_ dataKey: SharedSecret, context: EncryptionContext) async throws -> [EncryptedDataKey] { [] }
    }

    private func pair(_ suite: AlgorithmSuite, _ provider: any DataKeyProvider) async throws -> (Sample, Sample) {
        func sample(_ seed: UInt64) async throws -> Sample {
            let plaintext = pattern(16 * 3 + 5, seed: seed)
            let message = try await MessageSealer.sealMessage(
                plaintext, provider: provider, context: ["purpose": "test"], suite: suite, frameBytes: 16)
            return Sample(name: "\(suite)-sealed", message: message, plaintext: plaintext)
        }
        return (try await sample(1), try await sample(2))
    }

    private func expectRefused(_ spliced: [UInt8], _ one: Sample, _ provider: any DataKeyProvider, _ what: String) async throws {
        for backend in everyBackend {
            for way in MessageOpening.Way.allCases {
                let opening = MessageOpening(provider: provider, backend: backend)
                let (outcome, released) = try await opening.attempt(spliced, way)
                #expect(outcome == .refused(.authentication), "\(one.name), \(what), \(way), \(backend.name)")
                guard way == .pipe else { continue }
                #expect(one.plaintext.starts(with: released) && (!one.isSigned || released.isEmpty), "\(what)")
            }
        }
    }

    @Test(arguments: Sample.committedSuites, [true, false])
    func nothingOfAnotherMessageIsTakenIn(suite: AlgorithmSuite, sharesDataKey: Bool) async throws {
        let provider: any DataKeyProvider = sharesDataKey ? OneDataKey() : try FuzzKey.keyring()
        let (one, two) = try await pair(suite, provider)
        let (fields, others) = (one.fields, two.fields)
        let mine = fields.frames.indices.map { fields.frame($0) }
        for index in mine.indices {
            var frames = mine
            frames[index] = others.frame(index)
            try await expectRefused(fields.with(frames: frames), one, provider, "frame \(index) of the other")
        }
        let theirs = others.frames.indices.map { others.frame($0) }
        try await expectRefused(fields.with(frames: theirs), one, provider, "all frames of the other")
        let body = Array(one.message[..<fields.headerBytes] + two.message[others.headerBytes...])
        try await expectRefused(body, one, provider, "body and footer of the other")
        if one.isSigned {
            let footer = Array(one.message[..<fields.bodyEnd] + two.message[others.bodyEnd...])
            try await expectRefused(footer, one, provider, "footer of the other")
        }
        // Each field of the header that differs, alone: message id, public key, data key, commitment, tag.
        for (field, other) in zip(fields.fields, others.fields) where field.bytes.upperBound <= fields.headerBytes {
            #expect(field.name == other.name && field.bytes == other.bytes)
            guard one.message[field.bytes] != two.message[other.bytes] else { continue }
            var message = one.message
            message.replaceSubrange(field.bytes, with: two.message[other.bytes])
            try await expectRefused(message, one, provider, "\(field.name) of the other")
        }
    }

    /// The signed suite's message without its signature, under the other suite's name, and the other way round.
    @Test func suitesAreNotExchanged() async throws {
        let provider = try FuzzKey.keyring()
        let (signed, _) = try await pair(.committedAndSigned, provider)
        let fields = signed.fields
        var stripped = Array(signed.message[..<fields.bodyEnd])
        try await expectRefused(stripped, signed, provider, "signature cut off")
        stripped[1] = 0x04
        try await expectRefused(stripped, signed, provider, "signature cut off, suite 0478")
        let (plain, _) = try await pair(.committed, provider)
        var promoted = plain.message
        promoted[1] = 0x05
        promoted += signed.message[fields.bodyEnd...]
        try await expectRefused(promoted, signed, provider, "suite 0578 with a strange signature")
    }
}
