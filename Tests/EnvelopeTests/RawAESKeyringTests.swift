import Envelope
import Secrets
import Testing

@Suite struct RawAESKeyringTests {
    @Test func infoIsNameLengthsAndNonce() async throws {
        let made = try await keyring(name: "n").generate(context: [:])
        let key = try #require(made.encrypted.first)
        #expect(key.providerID == "tests")
        #expect(Array(key.providerInfo[..<9]) == [0x6E, 0, 0, 0, 128, 0, 0, 0, 12])
        #expect(key.providerInfo.count == 9 + 12)
        #expect(key.ciphertext.count == 48)
    }

    @Test func anyFittingKeyOpensTheMessage() async throws {
        let (mine, other) = (try keyring(1), try keyring(2))
        let secret = SharedSecret(SecretBytes.random(count: 32))
        let context = ["a": "b"]
        let foreign = EncryptedDataKey(providerID: "aws-kms", providerInfo: [1], ciphertext: [2])
        let keys = [foreign, try other.wrapKey(secret, context: context), try mine.wrapKey(secret, context: context)]
        for provider in [mine, other] {
            let opened = try await provider.open(keys, context: context)
            let equal = try opened.withUnsafeBytes { a in try secret.withUnsafeBytes { a.elementsEqual($0) } }
            #expect(equal)
        }
        await #expect(throws: EnvelopeError.authentication) { try await mine.open(keys, context: ["a": "c"]) }
        await #expect(throws: EnvelopeError.authentication) { try await mine.open([foreign], context: context) }
        await #expect(throws: EnvelopeError.authentication) { try await mine.open([], context: context) }
    }

    @Test func namespaceOfKMSAndShortKeysAreRefused() throws {
        #expect(throws: EnvelopeError.self) { try keyring(namespace: "aws-kms") }
        let short = SharedSecret(SecretBytes.random(count: 31))
        #expect(throws: EnvelopeError.self) { try RawAESKeyring(namespace: "n", name: "k", wrappingKey: short) }
    }
}
