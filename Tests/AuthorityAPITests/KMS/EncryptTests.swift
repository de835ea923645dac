import AWSProtocol
import AuthorityAPI
import FoundationEssentials
import PostgresTesting
import Secrets
import Testing

/// Encrypt as the edge hands it over: its body apart from the others, to be overwritten.
@Suite(.enabled(if: TestDatabase.isAvailable)) struct EncryptTests {
    private func encrypt(
        _ text: String, _ house: KMSHouse, signedBy credentials: AWSCredentials? = nil
    ) async throws -> (answer: KMSAnswer, body: WipedBytes) {
        let body = WipedBytes()
        Array(text.utf8).withUnsafeBytes { body.append($0) }
        var request = AWSRequest(
            headers: [
                ("Host", "127.0.0.1"), ("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", "TrentService.Encrypt"),
            ],
            secretBody: body, sourceAddress: "198.51.100.7", receivedAt: Date())
        try SigV4Signer(credentials: credentials ?? house.admin, region: KMSHouse.region, service: "kms")
            .sign(&request, at: Date())
        return (try await KMSAnswer(house.handler.respond(to: request, requestID: KMSHouse.requestID)), body)
    }

    @Test func thePlaintextIsReadFromTheBodyAndTheBodyOverwritten() async throws {
        try await KMSHouse.with { house in
            #expect(house.handler.secretTargets == ["TrentService.Encrypt"])
            let key = try await house.createKey()
            // The same bytes as most clients write them, and as those do that escape slashes.
            for plaintext in ["////YWJj", #"\/\/\/\/YWJj"#] {
                let (sealed, body) = try await encrypt(#"{"Plaintext":"\#(plaintext)","KeyId":"\#(key)"}"#, house)
                #expect(sealed.status == 200 && body.isWiped)
                let opened = try await house.kms("Decrypt", ["CiphertextBlob": .string(sealed["CiphertextBlob"] ?? "")])
                #expect(opened["Plaintext"] == "////YWJj")
            }
        }
    }

    @Test func whatIsRefusedIsOverwrittenToo() async throws {
        try await KMSHouse.with { house in
            let key = try await house.createKey()
            let stranger = AWSCredentials(accessKeyID: "AKIAAAAAAAAAAAAAAAAA", secretAccessKey: Redacted("nobody's"))
            let (refused, body) = try await encrypt(#"{"Plaintext":"YWJj","KeyId":"\#(key)"}"#, house, signedBy: stranger)
            #expect(refused.code == "UnrecognizedClientException" && body.isWiped)
            for text in [
                // Read by its unescaped name, it would be parsed as text.
                #"{"Pl\u0061intext":"YWJj","KeyId":"\#(key)"}"#,
                #"{"Plaintext":"YWJj","Pl\u0061intext":"YWJj","KeyId":"\#(key)"}"#,
                #"{"Plaintext":"YWJj","Plaintext":"YWJj","KeyId":"\#(key)"}"#, #"{"Plaintext":"YW\u004aj","KeyId":"\#(key)"}"#,
                #"{"Plaintext":["YWJj"],"KeyId":"\#(key)"}"#, #"{"Plaintext":"YWJj"#,
            ] {
                let (refused, body) = try await encrypt(text, house)
                #expect(refused.code == "SerializationException" && body.isWiped, "\(text)")
            }
        }
    }
}
