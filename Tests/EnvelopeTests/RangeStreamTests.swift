import Envelope
import Foundation
import Testing

/// Parts of messages in regular files, opened alone.
@Suite struct RangeStreamTests {
    private static let size = 37 * streamFrame + 5

    private func message(_ size: Int = size, suite: AlgorithmSuite = .committed) async throws -> [UInt8] {
        try await MessageSealer.sealMessage(
            pattern(size), provider: try keyring(), context: [:], suite: suite, frameBytes: streamFrame)
    }

    private func range(
        _ range: Range<Int>, of message: [UInt8], to sink: StreamEnd = .file, threads: Int = 3, unverified: Bool = false
    ) async throws -> (bytes: [UInt8], error: EnvelopeError?) {
        let (bytes, error) = try await outcome(of: message, from: .file, to: sink) { input, output in
            try await withStreamOpener(input, threads: threads) { opening, opener in
                let count = try await opening.openRange(
                    range, opener, input, into: output, unverifiedSignature: unverified)
                #expect(count == range.clamped(to: 0..<Self.size).count)
            }
        }
        if let error, !(error is EnvelopeError) { throw error }
        return (bytes, error as? EnvelopeError)
    }

    @Test(arguments: StreamEnd.allCases, [1, 4]) func rangesAreTheirBytes(sink: StreamEnd, threads: Int) async throws {
        let (message, plaintext) = (try await message(), pattern(Self.size))
        let edges = [0, 1, 63, 64, 65, 255, 256, 257, 36 * 64, 37 * 64, Self.size - 1, Self.size]
        for lower in edges {
            for upper in edges + [Self.size + 9, .max] where upper > lower && lower < Self.size {
                let found = try await range(lower..<upper, of: message, to: sink, threads: threads)
                #expect(found.error == nil)
                #expect(found.bytes == Array(plaintext[lower..<min(upper, Self.size)]), "\(lower)..<\(upper)")
            }
        }
    }

    @Test func rangesBehindTheEndAreRefusedWithTheLength() async throws {
        let message = try await message()
        for wanted in [Self.size..<Self.size + 1, Self.size + 5..<Self.size + 5, Self.size..<Int.max] {
            let found = try await range(wanted, of: message)
            #expect(found.error?.code == .invalidInput && found.error?.message.contains("\(Self.size)") == true)
            #expect(found.bytes.isEmpty)
        }
        #expect(try await range(5..<5, of: message).error == nil)
        #expect(try await range(Self.size..<Self.size, of: message).error == nil)
    }

    @Test func onlyTheFramesOfTheRangeAndTheFinalOneAreLookedAt() async throws {
        let message = try await message()
        let header = try MessageHeader.parse(whole: message[...])
        let layout = try FrameLayout(headerBytes: header.byteCount, frameBytes: streamFrame, messageBytes: message.count)
        // Bytes of frames 5 and 6.
        let wanted = 5 * streamFrame + 9..<6 * streamFrame + 3
        for frame in 0..<layout.frameCount {
            var altered = message
            altered[layout.offset(ofFrame: frame) + 30] ^= 1
            let found = try await range(wanted, of: altered, to: .pipe, threads: 1)
            let matters = [5, 6, layout.frameCount - 1].contains(frame)
            #expect(found.error == (matters ? .authentication : nil), "frame \(frame)")
            #expect(found.bytes == (matters ? [] : Array(pattern(Self.size)[wanted])))
        }
    }

    @Test func truncatedMessageGivesNothing() async throws {
        let message = try await message()
        let header = try MessageHeader.parse(whole: message[...])
        let layout = try FrameLayout(headerBytes: header.byteCount, frameBytes: streamFrame, messageBytes: message.count)
        for frame in 0..<layout.frameCount {
            for count in [-1, 0, 1].map({ layout.offset(ofFrame: frame) + $0 }) {
                let found = try await range(0..<1, of: Array(message[..<count]), to: .pipe)
                #expect(found.error == .authentication && found.bytes.isEmpty, "cut at \(count)")
            }
        }
    }

    @Test func lengthIsProven() async throws {
        for size in streamSizes {
            let message = try await message(size)
            _ = try await through(message, from: .file, to: .file) { input, _ in
                try await withStreamOpener(input) { opening, opener in
                    let count = try await opening.verifiedLength(opener, input)
                    #expect(count == size)
                }
            }
        }
        // The final frame's length field.
        var lying = try await message()
        lying[lying.count - 16 - 5 - 1] ^= 1
        let (_, error) = try await outcome(of: lying, from: .file, to: .file) { input, _ in
            try await withStreamOpener(input) { _ = try await $0.verifiedLength($1, input) }
        }
        #expect(error as? EnvelopeError == .authentication)
    }

    @Test func pipesHaveNoRanges() async throws {
        let (bytes, error) = try await outcome(of: try await message(), from: .pipe, to: .file) { input, output in
            try await withStreamOpener(input) { _ = try await $0.openRange(0..<1, $1, input, into: output) }
        }
        #expect((error as? EnvelopeError)?.code == .invalidInput && bytes.isEmpty)
    }

    @Test func signedMessageGivesARangeOnlyWhenAskedForItUnverified() async throws {
        let message = try await message(suite: .committedAndSigned)
        let refused = try await range(3..<70, of: message)
        #expect(refused.error?.code == .invalidInput && refused.bytes.isEmpty)
        let found = try await range(3..<70, of: message, unverified: true)
        #expect(found.error == nil && found.bytes == Array(pattern(Self.size)[3..<70]))
    }

    @Test(arguments: [UInt16(0x0478), 0x0578]) func unframedMessageIsOpenedAsAWholeForIt(suite: UInt16) async throws {
        var message = try MessageWriter(suite, frameBytes: 0).write(pattern(Self.size), try keyring())
        let found = try await range(3..<70, of: message)
        #expect(found.error == nil && found.bytes == Array(pattern(Self.size)[3..<70]))
        message[message.count - 1] ^= 1
        let refused = try await range(3..<70, of: message)
        #expect(refused.error == .authentication && refused.bytes.isEmpty)
    }
}
