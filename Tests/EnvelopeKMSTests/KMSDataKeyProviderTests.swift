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
