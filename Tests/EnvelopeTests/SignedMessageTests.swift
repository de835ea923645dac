import Envelope
import Foundation
import Testing

@Suite struct SignedMessageTests {
    private func seal(_ count: Int, frame: Int = 16, context: EncryptionContext = ["a": "b"]) async throws -> [UInt8] {
        try await MessageSealer.sealMessage(
            pattern(count), provider: try keyring(), context: context, suite: .committedAndSigned, frameBytes: frame)
    }

    @Test func signedMessagesOfEverySizeAroundFrameEdgesComeBack() async throws {
        for size in [0, 1, 15, 16, 17, 47, 48, 49] {
            let message = try await seal(size)
            let opened = try await MessageOpener.openMessage(message, provider: try keyring())
            #expect(opened.plaintext == pattern(size))
            #expect(opened.header.suite == .committedAndSigned)
            #expect(opened.header.callersContext == ["a": "b"])
            let layout = try message.withUnsafeBytes { try FrameLayout.locate(opened.header, in: $0) }
            #expect(layout.footerBytes == FrameLayout.footerBytes(.committedAndSigned) && layout.footerBytes == 105)
            #expect(layout.messageBytes == message.count && layout.plaintextBytes == size)
        }
    }

    @Test func contextCarriesTheCompressedPoint() async throws {
        let header = try MessageHeader.parse(whole: try await seal(1)[...])
        let text = try #require(header.context["aws-crypto-public-key"])
        let point = try #require(Data(base64Encoded: text))
        #expect(point.count == 49 && (point[0] == 2 || point[0] == 3))
        #expect(header.compressedPublicKey == Array(point))
        #expect(header.context.count == 2)
    }

    @Test func callersOwnReservedNamesAreRefused() async throws {
        for name in ["aws-crypto-public-key", "aws-crypto-", "aws-crypto-x"] {
            for suite in [AlgorithmSuite.committed, .committedAndSigned] {
                let error = await #expect(throws: EnvelopeError.self) {
                    try await MessageSealer(provider: try keyring(), context: [name: "v"], suite: suite)
                }
                #expect(error?.code == .invalidInput)
            }
        }
        await #expect(throws: EnvelopeError.self) {
            try await MessageSealer(provider: try keyring(), context: [:], suite: AlgorithmSuite(rawValue: 0x0378))
        }
    }

    @Test func everySingleBitOfASignedMessageMatters() async throws {
        let (message, provider) = (try await seal(21), try keyring())
        for index in message.indices {
            for bit in 0..<8 {
                var altered = message
                altered[index] ^= 1 << bit
                #expect(await openingError(altered, provider) == .authentication, "byte \(index), bit \(bit)")
            }
        }
    }

    @Test func everyTruncationAndAppendixOfASignedMessageIsRefused() async throws {
        let (message, provider) = (try await seal(21), try keyring())
        for count in 0..<message.count {
            #expect(await openingError(Array(message[..<count]), provider) == .authentication, "cut at \(count)")
        }
        #expect(await openingError(message + [0], provider) == .authentication)
        #expect(await openingError(message + message.suffix(105), provider) == .authentication)
    }

    /// Who holds the data key can forge frames, but not under the signature that the author made.
    @Test func framesSealedByAnotherHolderOfTheDataKeyAreRefused() async throws {
        let provider = try keyring()
        let sealer = try await MessageSealer(provider: provider, context: [:], suite: .committedAndSigned, frameBytes: 16)
        func frame(_ plaintext: [UInt8]) throws -> [UInt8] {
            var output = [UInt8](repeating: 0, count: plaintext.count + FrameLayout.finalOverhead)
            _ = try output.withUnsafeMutableBytes { output in
                try plaintext.withUnsafeBytes { try sealer.sealFrame(0, $0, isFinal: true, into: output) }
            }
            return output
        }
        let (genuine, forged) = (try frame([1, 2, 3]), try frame([3, 2, 1]))
        let signature = try #require(sealer.signature)
        signature.update(genuine)
        let footer = try signature.footer()
        #expect(await openingError(sealer.header.serialized + genuine + footer, provider) == nil)
        #expect(await openingError(sealer.header.serialized + forged + footer, provider) == .authentication)
        #expect(await openingError(sealer.header.serialized + forged, provider) == .authentication)
    }

    /// Other writers' signatures are one byte shorter or longer, now and then more.
    @Test func signaturesOfAnyLengthAreFoundAndLongerOnesAreNot() async throws {
        let header = try MessageHeader.parse(whole: try await seal(0)[...])
        for frames in [0, 1, 2] {
            for length in [8, 70, 101, 102, 103, 104] {
                let layout = try FrameLayout(
                    headerBytes: header.byteCount, frameBytes: 16, plaintextBytes: 16 * frames + 5, footerBytes: 2 + length)
                var message = header.serialized + [UInt8](repeating: 0xA5, count: layout.messageBytes - header.byteCount)
                let final = layout.offset(ofFrame: frames)
                message.replaceSubrange(final..<final + 8, with: [255, 255, 255, 255, 0, 0, 0, UInt8(frames + 1)])
                message.replaceSubrange(final + 20..<final + 24, with: [0, 0, 0, 5])
                message.replaceSubrange(layout.footerOffset..<layout.footerOffset + 2, with: [0, UInt8(length)])
                #expect(try message.withUnsafeBytes { try FrameLayout.locate(header, in: $0) } == layout)
            }
        }
        for footer in [[0, 7] + pattern(7), [0, 105] + pattern(105), [0, 103] + pattern(102), [0], []] as [[UInt8]] {
            var message = try await seal(5)
            message.removeLast(105)
            #expect(throws: EnvelopeError.authentication) {
                try (message + footer).withUnsafeBytes { try FrameLayout.locate(header, in: $0) }
            }
        }
    }

    @Test func publicKeyMustBeThereExactlyForSignedSuites() async throws {
        let start: [UInt8] = [UInt8](repeating: 7, count: 32)
        let key: [UInt8] = [0, 1, 0, 1, 0x61, 0, 1, 0x62, 0, 1, 0x63]
        let rest: [UInt8] = key + [2, 0, 0, 0, 16] + [UInt8](repeating: 0, count: 48)
        let point = try #require(
            try MessageHeader.parse(whole: try await seal(1)[...]).context[EncryptionContextCodec.publicKeyName])
        func parses(_ suite: [UInt8], _ pairs: [(String, String)]) -> Bool {
            var context: [UInt8] = pairs.isEmpty ? [] : [0, UInt8(pairs.count)]
            for pair in pairs {
                for text in [pair.0, pair.1] { context += [0, UInt8(text.utf8.count)] + Array(text.utf8) }
            }
            let bytes = [2] + suite + start + [0, UInt8(context.count)] + context + rest
            return (try? MessageHeader.parse(whole: bytes[...])) != nil
        }
        let (plain, signed): ([UInt8], [UInt8]) = ([4, 0x78], [5, 0x78])
        let name = EncryptionContextCodec.publicKeyName
        #expect(parses(plain, []) && !parses(signed, []))
        #expect(!parses(plain, [(name, point)]) && parses(signed, [(name, point)]))
        #expect(!parses(plain, [("aws-crypto-x", "")]) && !parses(signed, [(name, point), ("aws-crypto-x", "")]))
        // Too short, not base64, not canonical base64.
        for wrong in ["", "AAAA", String(point.dropLast(2)) + "!!", point + "\n", point.replacing("=", with: "")] {
            #expect(wrong == point || !parses(signed, [(name, wrong)]), "\(wrong)")
        }
    }

    @Test func expectedContextIsTheCallersPart() async throws {
        let (message, provider) = (try await seal(1), try keyring())
        #expect(await openingError(message, provider, expecting: .init(context: ["a": "b"])) == nil)
        #expect(await openingError(message, provider, expecting: .init(context: [:])) == .authentication)
        #expect(await openingError(message, provider, expecting: .init(requiredContext: ["a": "b"])) == nil)
    }

    @Test func signatureServesOnePassAndNoneAfterWiping() async throws {
        let sealer = try await MessageSealer(provider: try keyring(), context: [:], suite: .committedAndSigned)
        let signature = try #require(sealer.signature)
        _ = try signature.footer()
        #expect(throws: EnvelopeError.self) { try signature.footer() }
        let other = try await MessageSealer(provider: try keyring(), context: [:], suite: .committedAndSigned)
        other.wipe()
        #expect(throws: EnvelopeError.self) { try #require(other.signature).footer() }
        #expect(try await MessageSealer(provider: try keyring(), context: [:]).signature == nil)
    }
}
