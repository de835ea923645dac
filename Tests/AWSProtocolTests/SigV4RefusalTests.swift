import AWSProtocol
import FoundationEssentials
import Secrets
import Testing

@Suite struct SigV4RefusalTests {
    typealias Samples = SigV4Samples

    private func refusal(secret: Redacted<String>? = SigV4Samples.secret, _ change: (inout AWSRequest) -> Void) -> String? {
        var request = Samples.kms
        change(&request)
        return Samples.refusal(of: request, service: "kms", secret: secret)
    }

    @Test func aWrongOrUnknownSecretIsRefused() {
        #expect(refusal(secret: Redacted("another")) { _ in } == "InvalidSignatureException")
        #expect(refusal(secret: nil) { _ in } == "UnrecognizedClientException")
    }

    @Test func everythingTheSignatureCoversIsCovered() {
        #expect(refusal { $0.body[3] ^= 1 } == "InvalidSignatureException")
        #expect(refusal { $0.body = [] } == "InvalidSignatureException")
        #expect(refusal { $0.method = "PUT" } == "InvalidSignatureException")
        #expect(refusal { $0.path = "/x" } == "InvalidSignatureException")
        #expect(refusal { $0.rawQuery = "a=b" } == "InvalidSignatureException")
        #expect(refusal { $0.setHeader("x-amz-target", "TrentService.Decrypt") } == "InvalidSignatureException")
        #expect(refusal { $0.setHeader("host", "127.0.0.1:1") } == "InvalidSignatureException")
        #expect(refusal { $0.setHeader("x-amz-security-token", "TOKEN124") } == "InvalidSignatureException")
        #expect(refusal { $0.setHeader("x-amz-date", "20261123T132827Z") } == "InvalidSignatureException")
    }

    @Test func whatItDoesNotCoverMayChange() {
        #expect(refusal { $0.setHeader("amz-sdk-request", "attempt=2; max=5") } == nil)
        #expect(refusal { $0.setHeader("user-agent", "x") } == nil)
        #expect(refusal { $0.headers.append(("X-Amzn-Trace-Id", "Root=1")) } == nil)
    }

    @Test func headersThatMatterMustBeSigned() {
        #expect(refusal { $0.headers.append(("X-Amz-Source-Arn", "arn")) } == "InvalidSignatureException")
        #expect(refusal { $0.headers.removeAll { $0.0 == "Host" } } == "IncompleteSignatureException")
        #expect(refusal { $0.replaceInAuthorization("host;", "") } == "InvalidSignatureException")
        #expect(refusal { $0.replaceInAuthorization("x-amz-target", "x-amz-tarzan") } == "InvalidSignatureException")
        #expect(refusal { $0.headers.removeAll { $0.0 == "X-Amz-Target" } } == "IncompleteSignatureException")
    }

    @Test func doubledHeadersAreRefused() {
        #expect(refusal { $0.headers.append(("x-amz-target", "TrentService.Decrypt")) } == "IncompleteSignatureException")
        #expect(refusal { $0.headers.append(("HOST", "127.0.0.1:45025")) } == "IncompleteSignatureException")
        #expect(refusal { $0.headers.append(("Authorization", $0.header("authorization")!)) } == "IncompleteSignatureException")
        #expect(
            refusal { $0.replaceInAuthorization("content-type;", "content-type;content-type;") } == "IncompleteSignatureException"
        )
    }

    @Test(arguments: [
        ("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA512 "), ("AWS4-HMAC-SHA256 ", ""), ("Credential=", "Credentials="),
        ("Signature=", "Sig="), ("/aws4_request", "/aws5_request"), ("/20261123/", "/2026112/"), ("/kms/", "/"),
        ("AKIAIOSFODNN7EXAMPLE", String(repeating: "A", count: 10_000)), ("AKIAIOSFODNN7EXAMPLE", "AKIA EXAMPLE"),
        ("SignedHeaders=content-type;host", "SignedHeaders=host;content-type"), ("Signature=", "Signature=1, Signature="),
        ("content-type;", "Content-Type;"), ("Signature=", "Other=1, Signature="),
    ])
    func malformedAuthorizationIsIncomplete(old: String, new: String) {
        #expect(refusal { $0.replaceInAuthorization(old, new) } == "IncompleteSignatureException")
    }

    @Test func noAuthorizationIsAMissingToken() {
        #expect(refusal { $0.headers.removeAll { $0.0 == "Authorization" } } == "MissingAuthenticationTokenException")
    }

    @Test func theSignatureMustBeLowerCase() {
        let signature = "5726e3a80b8262f79b74b3decdcf5c501d53123e674d2d7f768ce78104ffdcbb"
        #expect(refusal { $0.replaceInAuthorization(signature, signature.uppercased()) } == "InvalidSignatureException")
        #expect(refusal { $0.replaceInAuthorization(signature, String(signature.dropLast())) } == "InvalidSignatureException")
        #expect(
            refusal { $0.replaceInAuthorization(signature, String(repeating: "0", count: 64)) } == "InvalidSignatureException")
    }

    @Test func theScopeMustBeExact() throws {
        #expect(Samples.refusal(of: Samples.kms, service: "forecast") == "InvalidSignatureException")
        for (region, service) in [("eu-west-1", "kms"), ("us-west-2", "forecastquery")] {
            var request = Samples.kms
            let credentials = AWSCredentials(accessKeyID: Samples.accessKeyID, secretAccessKey: Samples.secret)
            try SigV4Signer(credentials: credentials, region: region, service: service).sign(&request, at: Samples.now)
            #expect(Samples.refusal(of: request, service: "kms") == "InvalidSignatureException")
        }
        #expect(refusal { $0.replaceInAuthorization("/20261123/", "/20261124/") } == "InvalidSignatureException")
    }

    @Test(arguments: [(-300.0, true), (-301, false), (300, true), (301, false), (-299, true), (299, true)])
    func theClockMayBeFiveMinutesOff(seconds: Double, isAccepted: Bool) {
        let refusal = Samples.refusal(
            of: Samples.kms, service: "kms", now: Samples.now.addingTimeInterval(seconds))
        #expect(refusal == (isAccepted ? nil : "InvalidSignatureException"))
    }

    @Test func theClocksTextsAreAWSs() throws {
        let claim = try SignedRequestClaim(parsing: Samples.kms)
        func message(_ seconds: Double) -> String {
            do {
                try Samples.verifier.verify(
                    claim, service: "kms", secret: Samples.secret, now: Samples.now.addingTimeInterval(seconds))
                return ""
            } catch {
                return error.message
            }
        }
        #expect(
            message(301) == "Signature expired: 20261123T132826Z is now earlier than 20261123T132827Z (20261123T133327Z - 5 min.)"
        )
        #expect(
            message(-301)
                == "Signature not yet current: 20261123T132826Z is still later than 20261123T132825Z (20261123T132325Z + 5 min.)")
    }

    @Test func aPresignedRequestEndsAfterItsSeconds() {
        func refusal(_ seconds: Double) -> String? {
            Samples.refusal(of: Samples.presigned, service: "sts", now: Samples.now.addingTimeInterval(seconds))
        }
        #expect(refusal(60) == nil)
        #expect(refusal(61) == "InvalidSignatureException")
        #expect(refusal(-301) == "InvalidSignatureException")
    }

    @Test(arguments: [
        ("X-Amz-Expires=60", "X-Amz-Expires=61", "InvalidSignatureException"),
        ("X-Amz-Expires=60", "X-Amz-Expires=604801", "IncompleteSignatureException"),
        ("X-Amz-Expires=60", "X-Amz-Expires=60&X-Amz-Expires=60", "IncompleteSignatureException"),
        ("X-Amz-Expires=60&", "", "IncompleteSignatureException"),
        ("X-Amz-Algorithm=AWS4-HMAC-SHA256&", "", "IncompleteSignatureException"),
        ("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=", "InvalidSignatureException"),
        ("GetCallerIdentity", "AssumeRole", "InvalidSignatureException"),
        ("GetCallerIdentity", "Get+CallerIdentity", "IncompleteSignatureException"),
        ("GetCallerIdentity", "Get%2", "IncompleteSignatureException"),
    ])
    func aChangedPresignedRequestIsRefused(old: String, new: String, code: String) throws {
        var request = Samples.presigned
        let range = try #require(request.rawQuery.firstRange(of: old))
        request.rawQuery = request.rawQuery.replacingCharacters(in: range, with: new)
        #expect(Samples.refusal(of: request, service: "sts") == code)
    }

    @Test(arguments: [
        (0, false), (1, true), (604_799, true), (604_800, true), (604_801, false), (-1, false),
    ])
    func theLifeOfAPresignedRequestIsBounded(seconds: Int, isAccepted: Bool) throws {
        var request = AWSRequest(
            method: "GET", rawQuery: "Action=GetCallerIdentity&Version=2011-06-15", headers: [("Host", "127.0.0.1:45025")],
            receivedAt: Samples.now)
        try Samples.signer(service: "sts").presign(&request, at: Samples.now, seconds: seconds)
        #expect(Samples.refusal(of: request, service: "sts") == (isAccepted ? nil : "IncompleteSignatureException"))
    }

    @Test(arguments: ["%2B60", "060", "60.0", "6%200", "", "9999999999999999999"])
    func secondsAreAPlainNumber(text: String) {
        var request = Samples.presigned
        request.rawQuery = request.rawQuery.replacing("X-Amz-Expires=60", with: "X-Amz-Expires=\(text)")
        #expect(Samples.refusal(of: request, service: "sts") == "IncompleteSignatureException")
    }

    /// Whatever one flips of a captured request: each byte of the body, each signed header, each character of signature and secret.
    @Test(arguments: [(Samples.forecast, "forecast"), (Samples.kms, "kms"), (Samples.sts, "sts")])
    func eachFlipIsAWrongSignature(request: AWSRequest, service: String) throws {
        func check(_ what: String, secret: Redacted<String> = Samples.secret, _ change: (inout AWSRequest) -> Void) {
            var changed = request
            change(&changed)
            #expect(Samples.refusal(of: changed, service: service, secret: secret) == "InvalidSignatureException", "\(what)")
        }
        for index in request.body.indices { check("body \(index)") { $0.body[index] ^= 1 } }
        for name in try SignedRequestClaim(parsing: request).canonicalRequest.headers.map(\.name) where name != "x-amz-date" {
            check(name) { $0.setHeader(name, ($0.header(name) ?? "") + "x") }
        }
        check("date") { $0.setHeader("x-amz-date", "20261123T132825Z") }
        let signature = Array(try SignedRequestClaim(parsing: request).signature)
        for index in signature.indices {
            var flipped = signature
            flipped[index] = flipped[index] == "0" ? "1" : "0"
            check("signature \(index)") { $0.replaceInAuthorization(String(signature), String(flipped)) }
        }
        let secret = Array(Samples.secret.revealed)
        for index in secret.indices {
            var flipped = secret
            flipped[index] = flipped[index] == "a" ? "b" : "a"
            check("secret \(index)", secret: Redacted(String(flipped))) { _ in }
        }
    }

    @Test func headerAndQueryTogetherAreRefused() {
        var request = Samples.presigned
        request.headers.append(("Authorization", Samples.sts.header("authorization")!))
        #expect(Samples.refusal(of: request, service: "sts") == "IncompleteSignatureException")
    }

    @Test(arguments: ["http://127.0.0.1/", "*", "/a/../b", "/./", "//", "/a\u{0}", "/é"])
    func ambiguousPathsAreRefused(path: String) {
        #expect(refusal { $0.path = path } == "IncompleteSignatureException")
    }

    @Test func theBodysHashIsComputedAndNeverBelieved() throws {
        for value in ["UNSIGNED-PAYLOAD", String(repeating: "0", count: 64)] {
            var request = Samples.kms
            request.headers.append(("X-Amz-Content-SHA256", value))
            try Samples.signer(service: "kms").sign(&request, at: Samples.now)
            #expect(Samples.refusal(of: request, service: "kms") == "InvalidSignatureException")
        }
    }
}
