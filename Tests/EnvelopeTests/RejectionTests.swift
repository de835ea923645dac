import Envelope
import Secrets
import Testing

/// Cases 38, 39 and 52: whatever is not the message gives one error and no plaintext.
@Suite struct RejectionTests {
    private let frame = 16

    private func message(_ size: Int = 16 * 2 + 5, key: UInt8 = 0x2A) async throws -> [UInt8] {
        try await MessageSealer.sealMessage(
            pattern(size), provider: try keyring(key), context: ["purpose": "test"], frameBytes: frame)
    }

    @Test func everySingleBitMatters() async throws {
        let provider = try keyring()
        let message = try await message()
        for index in message.indices {
            for bit in 0..<8 {
                var altered = message
                altered[index] ^= 1 << bit
                let error = await openingError(altered, provider)
                #expect(error == .authentication, "byte \(index), bit \(bit)")
            }
        }
    }

    @Test func everyTruncationAndAppendixIsRefused() async throws {
        let provider = try keyring()
        for size in [0, 5, 16, 37] {
            let message = try await message(size)
            for count in 0..<message.count {
                #expect(await openingError(Array(message[..<count]), provider) == .authentication, "cut at \(count) of \(size)")
            }
            #expect(await openingError(message + [0], provider) == .authentication)
            #expect(await openingError(message + message, provider) == .authentication)
        }
    }

    @Test func framesMustComeInOrderAndOnce() async throws {
        let provider = try keyring()
        let message = try await message(16 * 4)
        let header = try MessageHeader.parse(whole: message[...])
        let layout = try FrameLayout(headerBytes: header.byteCount, frameBytes: frame, messageBytes: message.count)
        let parts = (0..<layout.frameCount).map { Array(message[layout.messageRange(ofFrames: $0..<$0 + 1)]) }
        let head = header.serialized
        let (a, b, c, last) = (parts[0], parts[1], parts[2], parts[3])
        #expect(await openingError(head + a + b + c + last, provider) == nil)
        for wrong in [
            [b, a, c, last], [a, c, last], [a, a, b, c, last], [a, b, b, c, last], [a, b, c], [last], [a, b, c, last, last],
            [last, a, b, c], [a, b, c, last, a], [],
        ] {
            #expect(await openingError(head + wrong.flatMap { $0 }, provider) == .authentication)
        }
    }

    @Test func finalMarkOnAMiddleFrameIsRefused() async throws {
        let provider = try keyring()
        let sealer = try await MessageSealer(provider: provider, context: [:], frameBytes: frame)
        func sealed(_ index: Int, isFinal: Bool) throws -> [UInt8] {
            var output = [UInt8](repeating: 0, count: frame + 40)
            let count = try output.withUnsafeMutableBytes { output in
                try pattern(frame).withUnsafeBytes { try sealer.sealFrame(index, $0, isFinal: isFinal, into: output) }
            }
            return Array(output[..<count])
        }
        let wrong = try sealer.header.serialized + sealed(0, isFinal: true) + sealed(1, isFinal: true)
        #expect(await openingError(wrong, provider) == .authentication)
        let unfinished = try sealer.header.serialized + sealed(0, isFinal: false) + sealed(1, isFinal: false)
        #expect(await openingError(unfinished, provider) == .authentication)
    }

    @Test func splicesFromAnotherMessageOfTheSameKeyAreRefused() async throws {
        let provider = try keyring()
        let (one, two) = (try await message(), try await message())
        let header = try MessageHeader.parse(whole: one[...])
        #expect(await openingError(Array(one[..<header.byteCount]) + two[header.byteCount...], provider) == .authentication)
        // Message id and everything behind it of the other, data keys of this one.
        for cut in stride(from: 1, to: one.count, by: 7) {
            #expect(await openingError(Array(one[..<cut]) + two[cut...], provider) != nil || cut <= 3)
        }
    }

    @Test func anotherKeyOrNameGivesTheSameError() async throws {
        let message = try await message()
        #expect(await openingError(message, try keyring(0x2B)) == .authentication)
        #expect(await openingError(message, try keyring(name: "other")) == .authentication)
        #expect(await openingError(message, try keyring(namespace: "other")) == .authentication)
    }

    /// A header whose lengths lie is refused by what is there, not believed and allocated for.
    @Test func lyingLengthsAllocateNothing() throws {
        let start: [UInt8] = [0x02, 0x04, 0x78] + [UInt8](repeating: 7, count: 32)
        // 64 KiB of context that is not there: asks for so many bytes, no more.
        guard case .needs(let total) = try MessageHeader.parse((start + [0xFF, 0xFF])[...]) else {
            Issue.record("a header without its context was read")
            return
        }
        #expect(total == 35 + 2 + 65535)
        // 65,535 data keys.
        #expect(throws: EnvelopeError.authentication) { try MessageHeader.parse((start + [0, 0, 0xFF, 0xFF])[...]) }
        // No data key.
        #expect(throws: EnvelopeError.authentication) { try MessageHeader.parse((start + [0, 0, 0, 0])[...]) }
        // A context that counts more pairs than it has bytes.
        #expect(throws: EnvelopeError.authentication) { try MessageHeader.parse((start + [0, 2, 0xFF, 0xFF])[...]) }
        // A frame length of 4 GiB.
        let key: [UInt8] = [0, 1, 0, 1, 0x61, 0, 1, 0x62, 0, 1, 0x63]
        let frames = start + [0, 0] + key + [0x02, 0xFF, 0xFF, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 48)
        #expect(throws: EnvelopeError.authentication) { try MessageHeader.parse(frames[...]) }
    }

    @Test func headerLongerThanTheBoundIsRefusedBeforeItIsRead() throws {
        var limits = MessageLimits()
        limits.maximumHeaderBytes = 1000
        let start: [UInt8] = [0x02, 0x04, 0x78] + [UInt8](repeating: 7, count: 32)
        #expect(throws: EnvelopeError.authentication) { try MessageHeader.parse((start + [0xFF, 0xFF])[...], limits: limits) }
    }

    @Test func contextOutOfOrderOrDoubledIsRefused() throws {
        let start: [UInt8] = [0x02, 0x04, 0x78] + [UInt8](repeating: 7, count: 32)
        let a: [UInt8] = [0, 1, 0x61, 0, 0]
        let b: [UInt8] = [0, 1, 0x62, 0, 0]
        for pairs in [[b, a], [a, a], [[0, 1, 0xFF, 0, 0], [0, 0, 0, 0, 0]]] {
            let bytes = start + [0, 12, 0, 2] + pairs.flatMap { $0 }
            #expect(throws: EnvelopeError.authentication) { try MessageHeader.parse(bytes[...]) }
        }
    }

    @Test(arguments: [UInt16(0x0014), 0x0046, 0x0078, 0x0114, 0x0146, 0x0178, 0x0214, 0x0346, 0x0378])
    func suitesWithoutCommitmentAreRefusedByName(suite: UInt16) throws {
        let bytes = [0x01, 0x80, UInt8(suite >> 8), UInt8(suite & 0xFF)] + [UInt8](repeating: 0, count: 100)
        #expect {
            try MessageHeader.parse(bytes[...])
        } throws: { error in
            let error = error as? EnvelopeError
            return error?.code == .suiteRefused && error?.message.contains("does not commit") == true
        }
    }

    @Test func expectationIsCheckedBeforeAnyKeyIsAskedFor() async throws {
        struct Untouchable: DataKeyProvider {
            struct Asked: Error {}
            func generate(context: EncryptionContext) async throws -> GeneratedDataKey { throw Asked() }
            func open(_ keys: [EncryptedDataKey], context: EncryptionContext) async throws -> SharedSecret { throw Asked() }
        }
        let message = try await message()
        let header = try MessageHeader.parse(whole: message[...])
        for wrong in [
            MessageExpectation(suite: .committedAndSigned), .init(context: ["purpose": "other"]), .init(context: [:]),
            .init(frameBytes: 17), .init(kmsKeyARN: "arn:aws:kms:us-west-2:123456789012:key/x"),
            .init(headerDigest: [UInt8](repeating: 0, count: 32)),
        ] {
            #expect(await openingError(message, Untouchable(), expecting: wrong) == .authentication)
        }
        let right = MessageExpectation(
            suite: .committed, context: ["purpose": "test"], frameBytes: frame, headerDigest: header.digest)
        #expect(await openingError(message, try keyring(), expecting: right) == nil)
    }

    @Test func namesThatOnlyLookEqualAreNotEqual() async throws {
        let provider = try keyring()
        let message = try await MessageSealer.sealMessage([1], provider: provider, context: ["k": "\u{E9}"])
        let error = await openingError(message, provider, expecting: .init(context: ["k": "e\u{301}"]))
        #expect(error == .authentication)
    }

    @Test func wipedOpenerOpensNothing() async throws {
        let message = try await message(5)
        let header = try MessageHeader.parse(whole: message[...])
        let layout = try FrameLayout(headerBytes: header.byteCount, frameBytes: frame, messageBytes: message.count)
        let opener = try await MessageOpener(header: header, provider: try keyring())
        opener.wipe()
        #expect(throws: SecretError.wiped) {
            try opener.openRange(0..<5, of: layout, body: message[header.byteCount...])
        }
    }
}
