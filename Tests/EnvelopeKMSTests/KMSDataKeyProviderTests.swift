import AWSProtocol
import ArtifactsTesting
import Envelope
import EnvelopeKMS
import Secrets
import Testing

private let keyARN = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"

@Suite struct KMSDataKeyProviderTests {
    @Test func messageUnderKMSComesBack() async throws {
        let kms = FakeKMS()
        let provider = KMSDataKeyProvider(kms: kms, keyARN: keyARN)
        let message = try await MessageSealer.sealMessage([1, 2, 3], provider: provider, context: ["a": "b"])
        let opened = try await MessageOpener.openMessage(
            message, provider: provider, expecting: MessageExpectation(kmsKeyARN: keyARN))
        #expect(opened.plaintext == [1, 2, 3])
        let key = try #require(opened.header.encryptedDataKeys.first)
        #expect(key.providerID == "aws-kms")
        #expect(key.providerInfo == Array(keyARN.utf8))
        #expect(kms.calls == ["GenerateDataKey", "Decrypt"])
    }

    @Test func answersForAnotherKeyAreRefusedAndWiped() async throws {
        let kms = FakeKMS()
        let provider = KMSDataKeyProvider(kms: kms, keyARN: keyARN)
        let message = try await MessageSealer.sealMessage([1], provider: provider, context: [:])
        kms.answer(as: keyARN + "0")
        await #expect(throws: EnvelopeError.authentication) { try await provider.generate(context: [:]) }
        await #expect(throws: EnvelopeError.authentication) {
            try await MessageOpener.openMessage(message, provider: provider)
        }
        #expect(kms.issued.filter { !$0.isWiped }.isEmpty)
    }

    @Test func otherKeysAreNotAskedFor() async throws {
        let kms = FakeKMS()
        let message = try await MessageSealer.sealMessage(
            [1], provider: KMSDataKeyProvider(kms: kms, keyARN: keyARN), context: [:])
        kms.forgetCalls()
        await #expect(throws: EnvelopeError.authentication) {
            try await MessageOpener.openMessage(message, provider: KMSDataKeyProvider(kms: kms, keyARN: keyARN + "0"))
        }
        #expect(kms.calls.isEmpty)
    }

    @Test func refusalIsKMSsOwnAndForgeryIsNot() async throws {
        let kms = FakeKMS()
        let provider = KMSDataKeyProvider(kms: kms, keyARN: keyARN)
        let message = try await MessageSealer.sealMessage([1], provider: provider, context: [:])
        kms.fail(FakeKMS.revoked)
        await #expect { try await MessageOpener.openMessage(message, provider: provider) } throws: {
            ($0 as? AWSError)?.code == "AccessDeniedException"
        }
        kms.fail(AWSError(code: "InvalidCiphertextException", message: ""))
        await #expect(throws: EnvelopeError.authentication) {
            try await MessageOpener.openMessage(message, provider: provider)
        }
    }
}

@Suite struct SeveralKeysTests {
    private let keys = ["a", "b", "c"].map { "arn:aws:kms:us-west-2:123456789012:key/\($0)" }

    @Test func firstKeyMakesTheDataKeyAndTheOthersEncryptIt() async throws {
        let kms = FakeKMS()
        let provider = KMSDataKeyProvider(kms: kms, keyARNs: keys)
        let message = try await MessageSealer.sealMessage(
            [1, 2, 3], provider: provider, context: ["a": "b"], suite: .committedAndSigned)
        #expect(kms.calls == ["GenerateDataKey", "Encrypt", "Encrypt"])
        let header = try MessageHeader.parse(whole: message[...])
        #expect(header.encryptedDataKeys.map(\.kmsKeyARN) == keys)
        for key in keys {
            kms.forgetCalls()
            let opened = try await MessageOpener.openMessage(message, provider: KMSDataKeyProvider(kms: kms, keyARN: key))
            #expect(opened.plaintext == [1, 2, 3])
            #expect(kms.calls == ["Decrypt"])
        }
        // A job expects exactly the one key of its grant.
        for key in keys {
            #expect(throws: EnvelopeError.authentication) { try MessageExpectation(kmsKeyARN: key).check(header) }
        }
    }

    @Test func keysOfSeveralRegionsAndFilesMeetInAMultiKeyring() async throws {
        let (west, east) = (FakeKMS(), FakeKMS())
        let secret = SharedSecret(SecretBytes.random(count: 32))
        let raw = try RawAESKeyring(namespace: "n", name: "k", wrappingKey: secret)
        let there = KMSDataKeyProvider(kms: east, keyARN: "arn:aws:kms:us-east-1:123456789012:key/d")
        let all = MultiKeyring(generator: KMSDataKeyProvider(kms: west, keyARNs: keys), others: [there, raw])
        let message = try await MessageSealer.sealMessage([1], provider: all, context: [:])
        #expect(try MessageHeader.parse(whole: message[...]).encryptedDataKeys.count == 5)
        for provider in [there, raw, all] as [any DataKeyProvider] {
            #expect(try await MessageOpener.openMessage(message, provider: provider).plaintext == [1])
        }
        #expect(east.calls == ["Encrypt", "Decrypt"])
    }

    @Test func aKeyThatMayNotBeUsedIsPassedOverAndToldWhereNoneMay() async throws {
        let kms = SelectiveKMS()
        let provider = KMSDataKeyProvider(kms: kms, keyARNs: keys)
        let message = try await MessageSealer.sealMessage([1], provider: provider, context: [:])
        kms.refuse([keys[0]: "AccessDeniedException", keys[1]: "DisabledException"])
        #expect(try await MessageOpener.openMessage(message, provider: provider).plaintext == [1])
        kms.refuse([keys[0]: "InvalidCiphertextException", keys[1]: "DisabledException", keys[2]: "AccessDeniedException"])
        await #expect { try await MessageOpener.openMessage(message, provider: provider) } throws: {
            ($0 as? AWSError)?.code == "DisabledException"
        }
        // What the next call would meet as well ends the search.
        kms.refuse([keys[0]: "KMSInternalException"])
        await #expect { try await MessageOpener.openMessage(message, provider: provider) } throws: {
            ($0 as? AWSError)?.code == "KMSInternalException"
        }
    }

    @Test func sealingFailsWhereOneKeyDoesOrAnswersAsAnother() async throws {
        let kms = SelectiveKMS()
        let provider = KMSDataKeyProvider(kms: kms, keyARNs: keys)
        kms.refuse([keys[2]: "AccessDeniedException"])
        await #expect(throws: AWSError.self) { try await provider.generate(context: [:]) }
        #expect(kms.inner.issued.filter { !$0.isWiped }.isEmpty)
        let fake = FakeKMS()
        let secret = SharedSecret(SecretBytes.random(count: 32))
        fake.answer(as: keys[1])
        await #expect(throws: EnvelopeError.authentication) {
            try await KMSDataKeyProvider(kms: fake, keyARN: keys[0]).wrap(secret, context: [:])
        }
    }
}

@Suite struct DiscoveryTests {
    private func message(_ kms: FakeKMS, _ keys: [String]) async throws -> [UInt8] {
        try await MessageSealer.sealMessage([1], provider: KMSDataKeyProvider(kms: kms, keyARNs: keys), context: ["a": "b"])
    }

    @Test func keyOfTheMessageIsAskedInItsRegion() async throws {
        let kms = FakeKMS()
        let message = try await message(kms, [keyARN])
        let provider = KMSDiscoveryProvider(accounts: ["123456789012"]) { arn in
            #expect(arn.region == "us-west-2" && arn.account == "123456789012")
            return kms
        }
        #expect(try await MessageOpener.openMessage(message, provider: provider).plaintext == [1])
        let anybodys = KMSDiscoveryProvider(accounts: nil) { _ in kms }
        #expect(try await MessageOpener.openMessage(message, provider: anybodys).plaintext == [1])
    }

    @Test(arguments: [
        "arn:aws:kms:us-west-2:999999999999:key/a", "arn:aws-cn:kms:cn-north-1:123456789012:key/a",
        "arn:aws:kms:us-west-2:123456789012:alias/a", "arn:aws:iam:us-west-2:123456789012:key/a", "key/a",
    ])
    func otherAccountsPartitionsAndAliasesAreNotAsked(key: String) async throws {
        let kms = FakeKMS()
        let message = try await message(kms, [key])
        let provider = KMSDiscoveryProvider(accounts: ["123456789012"]) { _ in
            Issue.record("a client was asked for")
            return kms
        }
        await #expect(throws: EnvelopeError.authentication) {
            try await MessageOpener.openMessage(message, provider: provider)
        }
    }

    @Test func firstKeyThatPassesAndOpensWins() async throws {
        let kms = FakeKMS()
        let message = try await message(kms, ["arn:aws:kms:us-west-2:999999999999:key/a", keyARN])
        kms.forgetCalls()
        let provider = KMSDiscoveryProvider(accounts: ["123456789012"]) { _ in kms }
        #expect(try await MessageOpener.openMessage(message, provider: provider).plaintext == [1])
        #expect(kms.calls == ["Decrypt"])
    }

    @Test func answerForAnotherKeyIsRefusedAndWiped() async throws {
        let kms = FakeKMS()
        let message = try await message(kms, [keyARN])
        kms.answer(as: keyARN + "0")
        await #expect(throws: EnvelopeError.authentication) {
            try await MessageOpener.openMessage(message, provider: KMSDiscoveryProvider(accounts: nil) { _ in kms })
        }
        #expect(kms.issued.filter { !$0.isWiped }.isEmpty)
    }

    @Test func nothingIsSealedByDiscovery() async throws {
        let provider = KMSDiscoveryProvider(accounts: nil) { _ in FakeKMS() }
        await #expect(throws: EnvelopeError.self) { try await provider.generate(context: [:]) }
        await #expect(throws: EnvelopeError.self) {
            try await provider.wrap(SharedSecret(SecretBytes.random(count: 32)), context: [:])
        }
    }
}
