import Envelope
import Secrets
import Testing

@Suite struct MultiKeyringTests {
    private struct Refusing: DataKeyProvider {
        struct Refusal: Error {}
        func generate(context: EncryptionContext) async throws -> GeneratedDataKey { throw Refusal() }
        func wrap(_ dataKey: SharedSecret, context: EncryptionContext) async throws -> [EncryptedDataKey] { throw Refusal() }
        func open(_ keys: [EncryptedDataKey], context: EncryptionContext) async throws -> SharedSecret { throw Refusal() }
    }

    @Test func anyRecipientOpensTheMessage() async throws {
        let keyrings = try [1, 2, 3].map { try keyring($0) }
        let all = MultiKeyring(generator: keyrings[0], others: Array(keyrings[1...]))
        for suite in [AlgorithmSuite.committed, .committedAndSigned] {
            let message = try await MessageSealer.sealMessage(
                pattern(20), provider: all, context: ["a": "b"], suite: suite)
            #expect(try MessageHeader.parse(whole: message[...]).encryptedDataKeys.count == 3)
            for recipient in keyrings as [any DataKeyProvider] + [all] {
                #expect(try await MessageOpener.openMessage(message, provider: recipient).plaintext == pattern(20))
            }
            #expect(await openingError(message, try keyring(4)) == .authentication)
        }
    }

    @Test func keyringsNest() async throws {
        let inner = MultiKeyring(generator: try keyring(2), others: [try keyring(3)])
        let message = try await MessageSealer.sealMessage(
            [1], provider: MultiKeyring(generator: try keyring(1), others: [inner]), context: [:])
        for byte: UInt8 in 1...3 { #expect(await openingError(message, try keyring(byte)) == nil) }
    }

    @Test func messageThatOneRecipientCouldNotOpenIsNotMade() async throws {
        for keyring in [
            MultiKeyring(generator: try keyring(), others: [Refusing()]), .init(generator: Refusing(), others: [try keyring()]),
        ] {
            await #expect(throws: Refusing.Refusal.self) {
                try await MessageSealer.sealMessage([1], provider: keyring, context: [:])
            }
        }
        // Providers that take no data keys of others say so.
        let error = await #expect(throws: EnvelopeError.self) {
            try await MultiKeyring(generator: try keyring(), others: [UntouchableProvider()]).generate(context: [:])
        }
        #expect(error?.code == .invalidInput)
    }

    @Test func aRefusalIsToldWhereNothingOpens() async throws {
        let message = try await MessageSealer.sealMessage([1], provider: try keyring(1), context: [:])
        let opens = MultiKeyring(generator: Refusing(), others: [try keyring(2), try keyring(1)])
        #expect(try await MessageOpener.openMessage(message, provider: opens).plaintext == [1])
        await #expect(throws: Refusing.Refusal.self) {
            try await MessageOpener.openMessage(
                message, provider: MultiKeyring(generator: try keyring(2), others: [Refusing(), try keyring(3)]))
        }
        let none = MultiKeyring(generator: try keyring(2), others: [try keyring(3)])
        #expect(await openingError(message, none) == .authentication)
    }

    @Test func numberOfDataKeysIsBounded() async throws {
        var limits = MessageLimits()
        limits.maximumDataKeys = 3
        for (count, fits) in [(2, true), (3, true), (4, false)] {
            let others = try (1..<count).map { try keyring(UInt8($0)) }
            let message = try await MessageSealer.sealMessage(
                [1], provider: MultiKeyring(generator: try keyring(), others: others), context: [:])
            #expect(((try? MessageHeader.parse(whole: message[...], limits: limits)) != nil) == fits)
        }
    }
}
