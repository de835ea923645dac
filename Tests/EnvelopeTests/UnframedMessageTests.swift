import Envelope
import Testing

/// Content in one piece, of version 2; version 1 is with its suites.
@Suite struct UnframedMessageTests {
    @Test(arguments: [UInt16(0x0478), 0x0578]) func unframedContentOpens(suite: UInt16) async throws {
        for size in [0, 1, 15, 16, 17, 70_000] {
            let message = try MessageWriter(suite, frameBytes: 0).write(pattern(size), try keyring())
            let opened = try await MessageOpener.openMessage(message, provider: try keyring())
            #expect(opened.plaintext == pattern(size))
            #expect(opened.header.contentType == .unframed && opened.header.frameBytes == 0)
        }
    }

    @Test(arguments: [UInt16(0x0478), 0x0578]) func everySingleBitMatters(suite: UInt16) async throws {
        let message = try MessageWriter(suite, frameBytes: 0).write(pattern(20), try keyring())
        for index in message.indices {
            for bit in 0..<8 {
                var altered = message
                altered[index] ^= 1 << bit
                #expect(await openingError(altered, try keyring()) == .authentication, "byte \(index), bit \(bit)")
            }
        }
        for count in 0..<message.count {
            #expect(await openingError(Array(message[..<count]), try keyring()) == .authentication, "cut at \(count)")
        }
        #expect(await openingError(message + [0], try keyring()) == .authentication)
    }

    @Test func longerContentThanTheBoundIsRefusedByNameBeforeAnyKeyIsAskedFor() async throws {
        var limits = MessageLimits()
        limits.maximumUnframedBytes = 100
        for suite in [UInt16(0x0478), 0x0578] {
            for (size, fits) in [(99, true), (100, true), (101, false)] {
                let message = try MessageWriter(suite, frameBytes: 0).write(pattern(size), try keyring())
                if fits {
                    let opened = try await MessageOpener.openMessage(message, provider: try keyring(), limits: limits)
                    #expect(opened.plaintext == pattern(size))
                } else {
                    let error = await #expect(throws: EnvelopeError.self) {
                        try await MessageOpener.openMessage(message, provider: UntouchableProvider(), limits: limits)
                    }
                    #expect(error?.code == .tooLarge && error?.message.contains("100") == true)
                }
            }
        }
    }

    /// What a reader of a pipe must hold, from the bytes before the content.
    @Test func lengthIsKnownFromThePrefixAndBounded() throws {
        func bytes(_ length: UInt64, bound: Int = 1 << 20) throws -> Int {
            var limits = MessageLimits()
            limits.maximumUnframedBytes = bound
            let prefix = [UInt8](repeating: 0, count: 12) + withUnsafeBytes(of: length.bigEndian) { Array($0) }
            return try prefix.withUnsafeBytes { try MessageOpener.unframedBodyBytes(prefix: $0, limits: limits) }
        }
        #expect(try bytes(0) == 36 && bytes(1 << 20) == (1 << 20) + 36)
        for (length, code) in [
            ((1 << 20) + 1, EnvelopeError.Code.tooLarge), ((1 << 36) - 32, .tooLarge), ((1 << 36) - 31, .authentication),
            (1 << 63, .authentication), (.max, .authentication),
        ] as [(UInt64, EnvelopeError.Code)] {
            let error = #expect(throws: EnvelopeError.self) { try bytes(length) }
            #expect(error?.code == code, "\(length)")
        }
    }

    @Test func frameLengthAndContentTypeMustAgree() async throws {
        let unframed = try MessageWriter(0x0478, frameBytes: 0).write([1], try keyring())
        let framed = try MessageWriter(0x0478).write([1], try keyring())
        let at = try MessageHeader.parse(whole: framed[...]).byteCount - 16 - 32 - 5
        for (message, index, value) in [(unframed, at + 4, UInt8(16)), (framed, at, 1), (framed, at + 4, 0), (framed, at, 3)] {
            var altered = message
            altered[index] = value
            #expect(await openingError(altered, try keyring()) == .authentication)
        }
    }
}
