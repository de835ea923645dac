import AWSProtocol
import FoundationEssentials
import Testing

/// What the authority does with a claim that another process handed on, which may lie.
@Suite struct SignedRequestClaimTests {
    private func refusal(_ change: (inout JSONObject) -> Void) throws -> String? {
        var json = try SignedRequestClaim(parsing: SigV4Samples.kms).json
        change(&json)
        do {
            let claim = try SignedRequestClaim(json: json)
            try SigV4Samples.verifier.verify(claim, service: "kms", secret: SigV4Samples.secret, now: SigV4Samples.now)
            return nil
        } catch {
            return error.code
        }
    }

    private func replace(_ old: String, _ new: String, in json: inout JSONObject) {
        let text = json["CanonicalRequest"]?.stringValue ?? ""
        if let range = text.firstRange(of: old) {
            json["CanonicalRequest"] = .string(text.replacingCharacters(in: range, with: new))
        }
    }

    @Test func aClaimHandedOnIsTheSameClaim() throws {
        let claim = try SignedRequestClaim(parsing: SigV4Samples.kms)
        let read = try SignedRequestClaim(json: JSONObject.parseBody(claim.json.serialized()))
        #expect(read.json == claim.json)
        #expect(read.sessionToken == "TOKEN123" && read.signedAt == SigV4Samples.now)
        #expect(read.signedHeader("x-amz-target") == "TrentService.GenerateDataKey")
        #expect(try refusal { _ in } == nil)
    }

    @Test func aChangedTextIsRefused() throws {
        #expect(try refusal { replace("GenerateDataKey", "Decrypt", in: &$0) } == "InvalidSignatureException")
        #expect(try refusal { replace("TOKEN123", "TOKEN124", in: &$0) } == "InvalidSignatureException")
        #expect(try refusal { replace("POST", "GET", in: &$0) } == "InvalidSignatureException")
        #expect(
            try refusal { $0["Credential"] = "AKIAIOSFODNN7EXAMPLE/20261123/us-west-2/sts/aws4_request" }
                == "InvalidSignatureException")
    }

    @Test(arguments: [
        ("host:127", "hast:127"), ("\n\ncontent", "\ncontent"), ("x-amz-date:2", "x-amz-date: 2"), ("POST\n", "POST\r\n"),
        ("content-type;host", "host;content-type"), ("content-type;host", "content-type;content-type;host"), ("/\n", "\n"),
        ("POST\n/\n\n", "POST\n/\na=b&A=b\n"), ("TOKEN123", "TOKEN\r123"), ("POST", ""),
    ])
    func aTextThatNoRequestGivesIsRefused(old: String, new: String) throws {
        #expect(try refusal { replace(old, new, in: &$0) } == "IncompleteSignatureException")
    }

    @Test func aTextWithoutHostOrDateIsRefused() throws {
        #expect(
            try refusal { json in
                replace("host:127.0.0.1:45025\n", "", in: &json)
                replace("host;", "", in: &json)
            } == "InvalidSignatureException")
        #expect(
            try refusal { json in
                replace("x-amz-date:20261123T132826Z\n", "", in: &json)
                replace("x-amz-date;", "", in: &json)
            } == "IncompleteSignatureException")
    }

    @Test func aPresignedClaimCannotClaimAnotherCredential() throws {
        var json = try SignedRequestClaim(parsing: SigV4Samples.presigned).json
        json["Credential"] = "AKIAIOSFODNN7EXAMPLF/20261123/us-west-2/sts/aws4_request"
        #expect(throws: AWSError.self) { try SignedRequestClaim(json: json) }
    }

    @Test func printingAClaimShowsNoToken() throws {
        let claim = try SignedRequestClaim(parsing: SigV4Samples.kms)
        #expect(!"\(claim)".contains("TOKEN123"))
        let credentials = AWSCredentials(accessKeyID: "A", secretAccessKey: SigV4Samples.secret, sessionToken: "TOKEN123")
        var dumped = ""
        dump(credentials, to: &dumped)
        #expect(!"\(credentials) \(dumped) \(String(reflecting: credentials))".contains("TOKEN123"))
    }
}
