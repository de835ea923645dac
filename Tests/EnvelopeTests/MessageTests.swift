import Envelope
import Testing

@Suite struct MessageTests {
    private static let frames = [1, 16, 4096]

    @Test(arguments: frames)
    func messagesOfEverySizeAroundFrameEdgesComeBack(frame: Int) async throws {
        let provider = try keyring()
        for size in [0, 1, frame - 1, frame, frame + 1, 3 * frame - 1, 3 * frame, 3 * frame + 1] {
            let plaintext = pattern(size)
            let message = try await MessageSealer.sealMessage(
                plaintext, provider: provider, context: ["b": "2", "a": "1"], frameBytes: frame)
            let opened = try await MessageOpener.openMessage(message, provider: provider)
            #expect(opened.plaintext == plaintext)
            #expect(opened.header.context == ["a": "1", "b": "2"])
            #expect(opened.header.suite == .committed)
        }
    }

    @Test func headerIsLaidOutAsTheFormatHasIt() async throws {
        let sealer = try await MessageSealer(provider: try keyring(), context: ["k": "v"], frameBytes: 512)
        let bytes = sealer.header.serialized
        #expect(Array(bytes[..<3]) == [0x02, 0x04, 0x78])
        #expect(Array(bytes[3..<35]) == sealer.header.messageID)
        // Context: 8 bytes, one pair; then one data key.
        #expect(Array(bytes[35..<45]) == [0, 8, 0, 1, 0, 1, 0x6B, 0, 1, 0x76])
        #expect(Array(bytes[45..<47]) == [0, 1])
        let end = bytes.count - 16 - 32
        #expect(Array(bytes[end - 5..<end]) == [0x02, 0, 0, 2, 0])
        #expect(try MessageHeader.parse(whole: bytes[...]) == sealer.header)
    }

    @Test func emptyContextIsTwoZeroBytes() async throws {
        let sealer = try await MessageSealer(provider: try keyring(), context: [:])
        #expect(Array(sealer.header.serialized[35..<37]) == [0, 0])
        #expect(sealer.header.serializedContext.isEmpty)
    }

    @Test func multipleOfTheFrameLengthEndsInAFullFinalFrame() async throws {
        let message = try await MessageSealer.sealMessage(
            pattern(32), provider: try keyring(), context: [:], frameBytes: 16)
        let header = try MessageHeader.parse(whole: message[...])
        #expect(message.count == header.byteCount + (32 + 16) + (40 + 16))
    }

    @Test func emptyFinalFrameOfOtherWritersIsOpened() async throws {
        let provider = try keyring()
        let sealer = try await MessageSealer(provider: provider, context: [:], frameBytes: 16)
        let plaintext = pattern(32)
        var message = sealer.header.serialized
        for (index, range) in [0..<16, 16..<32, 32..<32].enumerated() {
            var frame = [UInt8](repeating: 0, count: 16 + 40)
            let count = try frame.withUnsafeMutableBytes { output in
                try plaintext[range].withUnsafeBytes {
                    try sealer.sealFrame(index, $0, isFinal: index == 2, into: output)
                }
            }
            message += frame[..<count]
        }
        #expect(try await MessageOpener.openMessage(message, provider: provider).plaintext == plaintext)
    }

    @Test func everyRangeComesFromItsFramesAlone() async throws {
        let provider = try keyring()
        let plaintext = pattern(16 * 3 + 5)
        let message = try await MessageSealer.sealMessage(plaintext, provider: provider, context: [:], frameBytes: 16)
        let header = try MessageHeader.parse(whole: message[...])
        let layout = try FrameLayout(headerBytes: header.byteCount, frameBytes: 16, messageBytes: message.count)
        let opener = try await MessageOpener(header: header, provider: provider)
        for lower in 0...plaintext.count {
            for upper in lower...plaintext.count {
                let frames = layout.frames(ofPlaintext: lower..<upper)
                let body = message[layout.messageRange(ofFrames: frames)]
                #expect(try opener.openRange(lower..<upper, of: layout, body: body) == Array(plaintext[lower..<upper]))
            }
        }
        let last = layout.frameCount - 1
        try opener.verifyLength(layout, finalFrame: Array(message[layout.messageRange(ofFrames: last..<last + 1)]))
    }

    @Test func lengthOfACutMessageIsNotProven() async throws {
        let provider = try keyring()
        let message = try await MessageSealer.sealMessage(pattern(64), provider: provider, context: [:], frameBytes: 16)
        let header = try MessageHeader.parse(whole: message[...])
        // Cut so that the length alone looks right: two regular frames' bytes and a final frame's.
        let cut = Array(message[..<(header.byteCount + 48 + 40 + 10)])
        let layout = try FrameLayout(headerBytes: header.byteCount, frameBytes: 16, messageBytes: cut.count)
        let opener = try await MessageOpener(header: header, provider: provider)
        let last = layout.frameCount - 1
        #expect(throws: EnvelopeError.authentication) {
            try opener.verifyLength(layout, finalFrame: Array(cut[layout.messageRange(ofFrames: last..<last + 1)]))
        }
    }

    @Test func contextIsSortedByBytesAndItsBoundsAreKept() throws {
        let bytes = try EncryptionContextCodec.serialize(["é": "", "z": "", "Z": ""])
        #expect(bytes == [0, 3, 0, 1, 0x5A, 0, 0, 0, 1, 0x7A, 0, 0, 0, 2, 0xC3, 0xA9, 0, 0])
        #expect(throws: EnvelopeError.self) { try EncryptionContextCodec.serialize(["aws-crypto-public-key": "x"]) }
        let fitting = String(repeating: "v", count: 65535 - 2 - 2 - 1 - 2)
        #expect(try EncryptionContextCodec.serialize(["k": fitting]).count == 65535)
        #expect(throws: EnvelopeError.self) { try EncryptionContextCodec.serialize(["k": fitting + "v"]) }
    }

    @Test func frameLengthBoundIsKept() async throws {
        var limits = MessageLimits()
        limits.maximumFrameBytes = 64
        let provider = try keyring()
        for (frame, fits) in [(63, true), (64, true), (65, false), (0, false)] {
            let sealed = try? await MessageSealer(provider: provider, context: [:], frameBytes: frame, limits: limits)
            #expect((sealed != nil) == fits)
        }
        let message = try await MessageSealer.sealMessage([1], provider: provider, context: [:], frameBytes: 65)
        #expect(throws: EnvelopeError.authentication) { try MessageHeader.parse(whole: message[...], limits: limits) }
    }
}
