import Envelope
import Secrets
import Testing

/// Messages of version 1, whose suites do not commit to the key: read on demand, never by default.
@Suite struct UncommittedMessageTests {
    static let suites: [UInt16] = [0x0014, 0x0046, 0x0078, 0x0114, 0x0146, 0x0178, 0x0214, 0x0346, 0x0378]
    private let allowing = MessageLimits(policy: .allowUncommitted)

    private func open(_ message: [UInt8], _ provider: any DataKeyProvider) async throws -> [UInt8] {
        try await MessageOpener.openMessage(message, provider: provider, limits: allowing).plaintext
    }

    private func error(_ message: [UInt8], _ limits: MessageLimits) async throws -> EnvelopeError? {
        await #expect(throws: EnvelopeError.self) {
            try await MessageOpener.openMessage(message, provider: try keyring(), limits: limits)
        }
    }

    @Test(arguments: suites) func messagesOpenUnderThePolicyThatAllowsThem(suite: UInt16) async throws {
        for frameBytes in [16, 0] {
            for size in [0, 1, 15, 16, 17, 100] {
                let message = try MessageWriter(suite, frameBytes: frameBytes).write(pattern(size), try keyring())
                let opened = try await MessageOpener.openMessage(message, provider: try keyring(), limits: allowing)
                #expect(opened.plaintext == pattern(size), "\(frameBytes), \(size)")
                #expect(opened.header.version == 1 && opened.header.callersContext == ["a": "b"])
                #expect(opened.header.serialized == Array(message[..<opened.header.byteCount]))
            }
        }
    }

    @Test(arguments: suites) func otherwiseTheyAreRefusedByNameBeforeAnyKeyIsAskedFor(suite: UInt16) async throws {
        let message = try MessageWriter(suite).write(pattern(20), try keyring())
        let refusal = await #expect(throws: EnvelopeError.self) {
            try await MessageOpener.openMessage(message, provider: UntouchableProvider())
        }
        #expect(refusal?.code == .suiteRefused)
        #expect(refusal?.message.contains(AlgorithmSuite(rawValue: suite).description) == true)
        #expect(refusal?.message.contains("commitment policy") == true)
        // A header that was parsed for a look at it opens nothing by that.
        let header = try MessageHeader.parse(whole: message[...], limits: allowing)
        let second = await #expect(throws: EnvelopeError.self) {
            try await MessageOpener(header: header, provider: UntouchableProvider())
        }
        #expect(second?.code == .suiteRefused)
    }

    @Test(arguments: [UInt16(0x0014), 0x0178, 0x0378], [16, 0])
    func everySingleBitMatters(suite: UInt16, frameBytes: Int) async throws {
        let message = try MessageWriter(suite, frameBytes: frameBytes).write(pattern(20), try keyring())
        for index in message.indices {
            for bit in 0..<8 {
                var altered = message
                altered[index] ^= 1 << bit
                #expect(try await error(altered, allowing) == .authentication, "byte \(index), bit \(bit)")
            }
        }
        for count in 0..<message.count {
            #expect(try await error(Array(message[..<count]), allowing) == .authentication, "cut at \(count)")
        }
        #expect(try await error(message + [0], allowing) == .authentication)
    }

    @Test func drawnIVsOfOldWritersAreReadInVersion1Only() async throws {
        for suite in [UInt16(0x0178), 0x0378, 0x0478, 0x0578] {
            for frameBytes in [16, 0] {
                var writer = MessageWriter(suite, frameBytes: frameBytes)
                writer.nonce = { pattern(12, seed: UInt64($0) + 9) }
                let message = try writer.write(pattern(40), try keyring())
                if suite < 0x0400 {
                    #expect(try await open(message, try keyring()) == pattern(40))
                } else {
                    #expect(try await error(message, allowing) == .authentication)
                }
            }
        }
    }

    @Test func dataKeyMustHaveTheSuitesLength() async throws {
        for (suite, bytes) in [(UInt16(0x0114), 32), (0x0178, 16), (0x0478, 24)] {
            var writer = MessageWriter(suite)
            writer.dataKeyBytes = bytes
            #expect(try await error(try writer.write([1], try keyring()), allowing) == .authentication)
        }
    }

    @Test func fixedFieldsMustBeWhatTheyAre() async throws {
        for reserved: [UInt8] in [[0, 0, 0, 1, 12], [1, 0, 0, 0, 12], [0, 0, 0, 0, 11], [0, 0, 0, 0, 16]] {
            var writer = MessageWriter(0x0178)
            writer.reserved = reserved
            #expect(try await error(try writer.write([1], try keyring()), allowing) == .authentication)
        }
        var writer = MessageWriter(0x0178)
        writer.type = 0x81
        #expect(try await error(try writer.write([1], try keyring()), allowing) == .authentication)
    }

    /// Suites of one version in the header of the other.
    @Test func versionAndSuiteBelongTogether() async throws {
        var old = try MessageWriter(0x0178).write([1], try keyring())
        old.replaceSubrange(2..<4, with: [0x04, 0x78])
        #expect(try await error(old, allowing) == .authentication)
        var new = try MessageWriter(0x0478).write([1], try keyring())
        new.replaceSubrange(1..<3, with: [0x01, 0x78])
        #expect(try await error(new, allowing) == .authentication)
    }

    @Test func nothingIsSealedWithThem() async throws {
        for suite in Self.suites {
            let error = await #expect(throws: EnvelopeError.self) {
                try await MessageSealer(provider: try keyring(), context: [:], suite: AlgorithmSuite(rawValue: suite))
            }
            #expect(error?.code == .invalidInput)
        }
    }
}

/// A provider that must not be asked.
struct UntouchableProvider: DataKeyProvider {
    struct Asked: Error {}
    func generate(context: EncryptionContext) async throws -> GeneratedDataKey { throw Asked() }
    func open(_ keys: [EncryptedDataKey], context: EncryptionContext) async throws -> SharedSecret { throw Asked() }
}
