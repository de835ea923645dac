import AWSProtocol
import FoundationEssentials
import Secrets
import Testing

@Suite struct Base64Tests {
    @Test func allBytesGoThereAndBackAsFoundationHasThem() {
        for count in 0...66 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255) }
            let text = Base64.encode(bytes)
            #expect(text == Data(bytes).base64EncodedString())
            #expect(Base64.decode(text) == bytes)
        }
        let all = Array(UInt8.min...UInt8.max)
        #expect(Base64.decode(Base64.encode(all)) == all)
    }

    @Test(arguments: [
        "A", "AA", "AAA", "A===", "====", "AA=A", "=AAA", "AA==AAAA", "AA A", "AA-_", "AB==", "AAB=", "AAAA\n", "AAAAA===", "é==",
    ])
    func whatIsNotCanonicalIsRefused(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test func aSecretGoesStraightIntoLockedMemory() throws {
        let text = Array("a2tra2s=".utf8)
        let decoded = text.withUnsafeBytes { Base64.decodeSecret($0) }
        let secret = try #require(decoded)
        #expect(try secret.withUnsafeBytes { Array($0) } == Array("kkkkk".utf8))
    }

    @Test func anAnswerWithASecretIsMadeInLockedMemory() throws {
        let secret = SecretBytes(count: 5) { $0.copyBytes(from: "kkkkk".utf8) }
        let body = JSONObject([("KeyId", "k")]).serialized(secretMember: "Plaintext", secret)
        #expect(
            try body.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } == #"{"Plaintext":"a2tra2s=","KeyId":"k"}"#)
        let alone = JSONObject().serialized(secretMember: "Plaintext", secret)
        #expect(try alone.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } == #"{"Plaintext":"a2tra2s="}"#)
    }
}
