import Envelope
import Foundation
import Glibc
import Testing

@Suite struct InspectionTests {
    private func inspect(_ message: [UInt8]) async throws -> MessageInspection {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "message").path
            try Data(message).write(to: URL(fileURLWithPath: path))
            let descriptor = open(path, O_RDONLY)
            defer { close(descriptor) }
            return try await MessageInspection.inspect(try ByteChannel.file(descriptor))
        }
    }

    @Test func soundMessageHasNoProblems() async throws {
        let message = try await MessageSealer.sealMessage(
            pattern(70), provider: try keyring(), context: ["k": "v"], frameBytes: 16)
        let found = try await inspect(message)
        #expect(found.problems.isEmpty)
        #expect(found.header?.context == ["k": "v"])
        #expect(found.layout?.plaintextBytes == 70)
        #expect(found.framesSeen == 5)
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
}
