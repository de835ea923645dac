import AWSProtocol
import FoundationEssentials
import Secrets
import Testing

/// The examples of S3's API reference, "Signature calculations for the Authorization header: transferring payload in a single chunk".
@Suite struct SigV4S3Tests {
    private static let empty = SigV4Signer.bodyHash([])

    private func signature(path: String, query: String = "", headers: [(String, String)] = []) throws -> (String, String) {
        let credentials = AWSCredentials(
            accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: Redacted("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"))
        let date = try #require(AWSTimestamp.parseBasic("20130524T000000Z"))
        var request = AWSRequest(
            method: "GET", path: path, rawQuery: query,
            headers: [("Host", "examplebucket.s3.amazonaws.com"), ("x-amz-content-sha256", Self.empty)] + headers,
            receivedAt: date)
        try SigV4Signer(credentials: credentials, region: "us-east-1", service: "s3")
            .sign(&request, at: date, bodyHash: Self.empty)
        let parts = try #require(request.header("authorization")).split(separator: ", ").map(String.init)
        return (String(parts[1].dropFirst("SignedHeaders=".count)), String(parts[2].dropFirst("Signature=".count)))
    }

    @Test func aRangeIsSigned() throws {
        let (headers, signature) = try signature(path: "/test.txt", headers: [("Range", "bytes=0-9")])
        #expect(headers == "host;range;x-amz-content-sha256;x-amz-date")
        #expect(signature == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test func queriesAreSignedWithAndWithoutValues() throws {
        #expect(
            try signature(path: "/", query: "max-keys=2&prefix=J").1
                == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
        #expect(
            try signature(path: "/", query: "lifecycle=").1
                == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
    }

    @Test func conditionsAreSigned() throws {
        let (headers, _) = try signature(path: "/a//b/../c%20d", headers: [("If-None-Match", "*"), ("If-Match", "\"x\"")])
        #expect(headers == "host;if-match;if-none-match;x-amz-content-sha256;x-amz-date")
    }

    @Test func datesOfHTTPAreRead() {
        #expect(AWSTimestamp.parseHTTP("Mon, 30 Nov 2026 22:06:28 GMT") == AWSTimestamp.parseBasic("20261130T220628Z"))
        for text in ["Mon, 30 Nov 2026 22:06:28 UTC", "Mon, 31 Nov 2026 22:06:28 GMT", "Mon, 30 Now 2026 22:06:28 GMT", "", "x"] {
            #expect(AWSTimestamp.parseHTTP(text) == nil, "\(text)")
        }
    }
}
