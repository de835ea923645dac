import AWSClients
import AWSProtocol
import AWSServer
import FoundationEssentials
import Secrets
import Testing

@Suite struct HTTPTransportTests {
    @Test func anEndpointThatIsNotThereIsUnavailable() async throws {
        let client = KMSClient(
            configuration: Samples.configuration(endpoint: "http://127.0.0.1:1", attempts: 1), transport: HTTPTransport())
        let error = await #expect(throws: AWSError.self) { try await client.describeKey("k") }
        #expect(error?.code == "ServiceUnavailable" && error?.isRetriable == true && error?.cause != nil)
    }

    @Test func anEndpointThatDoesNotAnswerIsGivenUp() async throws {
        let handler: @Sendable (AWSRequest) async throws -> AWSResponse = { _ in
            try await Task.sleep(for: .seconds(60))
            return .empty
        }
        try await withService("kms", handler) { configuration in
            var configuration = configuration
            configuration.attemptTimeout = .milliseconds(200)
            let client = KMSClient(configuration: configuration, transport: HTTPTransport())
            let error = await #expect(throws: AWSError.self) { try await client.describeKey("k") }
            #expect(error?.code == "ServiceUnavailable")
        }
    }

    @Test func redirectsAreNotFollowed() async throws {
        try await withService("kms", { _ in AWSResponse(status: 307, headers: [("Location", "http://127.0.0.1:1/")]) }) {
            let client = KMSClient(configuration: $0, transport: HTTPTransport())
            let error = await #expect(throws: AWSError.self) { try await client.describeKey("k") }
            #expect(error?.status == 307)
        }
    }

    @Test func anAnswerWithASecretIsBounded() async throws {
        let long = String(repeating: "x", count: HTTPTransport.maximumSecretAnswerBytes)
        try await withService("kms", { _ in .json(["Plaintext": .string(long)]) }) {
            let client = KMSClient(configuration: $0, transport: HTTPTransport())
            let error = await #expect(throws: AWSError.self) { try await client.generateDataKey("k", encryptionContext: [:]) }
            #expect(error?.code == "ServiceUnavailable")
        }
    }

    /// After a data key came and was wiped, its text stands nowhere in this process: neither client nor server, which is
    /// here too, keeps a copy.
    @Test func noCopyOfADataKeyStaysInMemory() async throws {
        // Kept inverted, so that the search does not find what it looks for.
        let inverted = (0..<32).map { _ in UInt8.random(in: 0...255) }
        let handler: @Sendable (AWSRequest) async throws -> AWSResponse = { _ in
            let secret = SecretBytes(count: 32) { $0.copyBytes(from: inverted.lazy.map { ~$0 }) }
            return .secretJSON(
                JSONObject([("CiphertextBlob", "AAEC"), ("KeyId", "k")]).serialized(secretMember: "Plaintext", secret))
        }
        try await withService("kms", handler) { configuration in
            let client = KMSClient(configuration: configuration, transport: HTTPTransport())
            let dataKey = try await client.generateDataKey("k", encryptionContext: [:])
            #expect(try dataKey.plaintext.withUnsafeBytes { $0.elementsEqual(inverted.lazy.map { ~$0 }) })
            // The search finds what is there. Only here: all of memory moves while other tests run.
            #expect(try dataKey.plaintext.withUnsafeBytes { ProcessMemory.occurrences(ofInverted: inverted, in: $0) } == 1)
            dataKey.plaintext.wipe()
        }
        #expect(ProcessMemory.occurrences(ofInverted: inverted) == 0)
        #expect(ProcessMemory.occurrences(ofInverted: invertedText(of: inverted)) == 0)
    }

    /// The same for a plaintext on its way out, as when a data key is sealed for one recipient more.
    @Test func noCopyOfAPlaintextToEncryptStaysInMemory() async throws {
        let inverted = (0..<32).map { _ in UInt8.random(in: 0...255) }
        let handler: @Sendable (AWSRequest) async throws -> AWSResponse = { request in
            let body = try #require(request.secretBody)
            #expect(request.body.isEmpty)
            let (secret, rest) = try body.withUnsafeBytes { try SecretMember.extract("Plaintext", from: $0) }
            body.wipe()
            let isWhole = try secret?.withUnsafeBytes { $0.elementsEqual(inverted.lazy.map { ~$0 }) }
            #expect(isWhole == true)
            #expect(try JSONObject.parseBody(rest) == ["Plaintext": "", "KeyId": "k", "EncryptionContext": ["a": "b"]])
            return .json(["CiphertextBlob": "AAEC", "KeyId": "k"])
        }
        try await withService("kms", handler) { configuration in
            let client = KMSClient(configuration: configuration, transport: HTTPTransport())
            let plaintext = SharedSecret(SecretBytes(count: 32) { $0.copyBytes(from: inverted.lazy.map { ~$0 }) })
            let sealed = try await client.encrypt(plaintext, keyID: "k", encryptionContext: ["a": "b"])
            #expect(sealed.ciphertext == [0, 1, 2] && sealed.keyARN == "k")
            // Its owner wipes it.
            #expect(!plaintext.isWiped)
            plaintext.wipe()
        }
        #expect(ProcessMemory.occurrences(ofInverted: inverted) == 0)
        #expect(ProcessMemory.occurrences(ofInverted: invertedText(of: inverted)) == 0)
    }

    /// The base64 of the bytes whose inversion is given, inverted; in between it stands in locked memory only.
    private func invertedText(of inverted: [UInt8]) -> [UInt8] {
        let bytes = SecretBytes(count: inverted.count) { $0.copyBytes(from: inverted.lazy.map { ~$0 }) }
        let text = SecretBytes(count: Base64.encodedCount(inverted.count)) { target in
            bytes.withUnsafeBytes { Base64.encode($0, into: target) }
        }
        return text.withUnsafeBytes { $0.map { ~$0 } }
    }
}
