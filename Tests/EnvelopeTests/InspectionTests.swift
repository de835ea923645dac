import Envelope
import Foundation
import Glibc
import Testing

@Suite struct InspectionTests {
    private func inspect(
        _ message: [UInt8], listing: Int = MessageInspection.standardListing, limits: MessageLimits = .standard
    ) async throws -> MessageInspection {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "message").path
            try Data(message).write(to: URL(fileURLWithPath: path))
            let descriptor = open(path, O_RDONLY)
            defer { close(descriptor) }
            return try await MessageInspection.inspect(
                try ByteChannel.file(descriptor), listing: listing, limits: limits)
        }
    }

    @Test(arguments: [AlgorithmSuite.committed, .committedAndSigned])
    func soundMessageHasNoProblems(suite: AlgorithmSuite) async throws {
        let message = try await MessageSealer.sealMessage(
            pattern(70), provider: try keyring(), context: ["k": "v"], suite: suite, frameBytes: 16)
        let found = try await inspect(message)
        #expect(found.problems.isEmpty && found.notices.isEmpty)
        #expect(found.header?.callersContext == ["k": "v"])
        #expect(found.layout?.plaintextBytes == 70)
        #expect(found.framesSeen == 5)
        #expect(found.signatureBytes == (suite == .committed ? nil : 103))
        let start = try #require(found.header).byteCount
        #expect(found.frames.map(\.offset) == (0..<5).map { start + 48 * $0 })
        #expect(found.frames.map(\.number) == [1, 2, 3, 4, 5])
        #expect(found.frames.map(\.plaintextBytes) == [16, 16, 16, 16, 6])
        #expect(found.frames.map(\.isFinal) == [false, false, false, false, true])
    }

    @Test func listIsAsLongAsAskedForAndAllFramesAreLookedAt() async throws {
        var message = try await MessageSealer.sealMessage(pattern(70), provider: try keyring(), context: [:], frameBytes: 16)
        for (listing, listed) in [(0, 0), (4, 4), (5, 5), (6, 5)] {
            #expect(try await inspect(message, listing: listing).frames.count == listed)
        }
        message[try MessageHeader.parse(whole: message[...]).byteCount + 4 * 48 + 7] ^= 1
        #expect(try await inspect(message, listing: 0).problems == ["Frame 5 has the number 4."])
    }

    @Test func faultsThatNeedNoKeyAreNamed() async throws {
        let message = try await MessageSealer.sealMessage(pattern(70), provider: try keyring(), context: [:], frameBytes: 16)
        let header = try MessageHeader.parse(whole: message[...])
        for (offset, words) in [(header.byteCount + 3, "has the number"), (header.byteCount + 15, "IV"), (1, "header")] {
            var altered = message
            altered[offset] ^= 0x40
            #expect(try await inspect(altered).problems.contains { $0.contains(words) }, "\(words)")
        }
        #expect(try await inspect(Array(message.dropLast(9))).problems.count >= 1)
        #expect(try await inspect(Array(message[..<20])).header == nil)
    }

    @Test func problemsAreBounded() async throws {
        var message = try await MessageSealer.sealMessage(pattern(40), provider: try keyring(), context: [:], frameBytes: 1)
        let start = try MessageHeader.parse(whole: message[...]).byteCount
        for frame in 0..<39 { message[start + 33 * frame] = 1 }
        #expect(try await inspect(message).problems.count == MessageInspection.maximumProblems)
    }

    @Test func missingSignatureIsNamed() async throws {
        let message = try await MessageSealer.sealMessage(
            pattern(20), provider: try keyring(), context: [:], suite: .committedAndSigned, frameBytes: 16)
        for wrong in [Array(message.dropLast(105)), Array(message.dropLast()), message + [0]] {
            let found = try await inspect(wrong)
            #expect(found.layout == nil && found.problems.contains { $0.contains("signature") })
        }
    }

    @Test func whatIsOnlyRefusedIsShownWithANotice() async throws {
        let old = try await inspect(try MessageWriter(0x0378).write(pattern(20), try keyring()))
        #expect(old.problems.isEmpty && old.layout?.plaintextBytes == 20 && old.header?.version == 1)
        #expect(old.notices.count == 1 && old.notices[0].contains("0378"))
        var limits = MessageLimits()
        limits.maximumFrameBytes = 15
        let long = try await inspect(try MessageWriter(0x0478).write(pattern(20), try keyring()), limits: limits)
        #expect(long.problems.isEmpty && long.framesSeen == 2 && long.notices.contains { $0.contains("at most 15") })
        limits.maximumUnframedBytes = 19
        let unframed = try await inspect(
            try MessageWriter(0x0478, frameBytes: 0).write(pattern(20), try keyring()), limits: limits)
        #expect(unframed.problems.isEmpty && unframed.notices.contains { $0.contains("at most 19") })
    }

    @Test func unframedContentIsMeasured() async throws {
        for suite in [UInt16(0x0478), 0x0578, 0x0178, 0x0378] {
            let message = try MessageWriter(suite, frameBytes: 0).write(pattern(20), try keyring())
            let found = try await inspect(message)
            #expect(found.problems.isEmpty && found.unframedBytes == 20 && found.layout == nil)
            #expect(found.signatureBytes == (AlgorithmSuite(rawValue: suite).isSigned ? 103 : nil))
            #expect(try await inspect(message + [0, 0, 0, 0]).problems.isEmpty == false)
            #expect(try await inspect(Array(message.dropLast(110))).problems.isEmpty == false)
        }
    }
}
