import AWSProtocol
import FoundationEssentials
import Testing

@Suite struct SigV4VectorTests {
    @Test(arguments: [(SigV4Samples.forecast, "forecast"), (SigV4Samples.kms, "kms"), (SigV4Samples.sts, "sts")])
    func capturedRequestsVerify(request: AWSRequest, service: String) throws {
        #expect(SigV4Samples.refusal(of: request, service: service) == nil)
        #expect(try SignedRequestClaim(parsing: request).accessKeyID == SigV4Samples.accessKeyID)
    }

    @Test(arguments: [(SigV4Samples.forecast, "forecast"), (SigV4Samples.kms, "kms"), (SigV4Samples.sts, "sts")])
    func signingGivesTheCapturedSignature(request: AWSRequest, service: String) throws {
        var again = request
        let token = request.header("x-amz-security-token")
        again.headers.removeAll { $0.0 == "Authorization" || $0.0 == "X-Amz-Date" || $0.0 == "X-Amz-Security-Token" }
        try SigV4Samples.signer(service: service, token: token).sign(&again, at: SigV4Samples.now)
        #expect(again.header("authorization") == request.header("authorization"))
    }

    @Test func theCanonicalRequestIsTheDocumentedText() throws {
        let claim = try SignedRequestClaim(parsing: SigV4Samples.forecast)
        #expect(
            claim.canonicalRequest.text == """
                POST
                /

                content-type:application/x-amz-json-1.1
                host:127.0.0.1:45025
                x-amz-date:20261123T132826Z
                x-amz-target:AmazonForecast.CreateDatasetGroup

                content-type;host;x-amz-date;x-amz-target
                \(claim.canonicalRequest.bodyHash)
                """)
        #expect(claim.canonicalRequest.bodyHash.hasPrefix("ecc66065") && claim.canonicalRequest.bodyHash.hasSuffix("b13d"))
    }

    @Test(arguments: [SigV4Samples.presigned, SigV4Samples.presignedWithToken])
    func presignedRequestsOfBotoVerify(request: AWSRequest) throws {
        #expect(SigV4Samples.refusal(of: request, service: "sts") == nil)
        let claim = try SignedRequestClaim(parsing: request)
        #expect(claim.isPresigned && claim.presignedSeconds == 60)
    }

    @Test func aPresignedRequestsTokenIsTheSignedOne() throws {
        let claim = try SignedRequestClaim(parsing: SigV4Samples.presignedWithToken)
        #expect(claim.sessionToken == "FwoGZXIvYXdzEBc+/=TOKEN")
        #expect(try SignedRequestClaim(json: claim.json).sessionToken == "FwoGZXIvYXdzEBc+/=TOKEN")
    }

    @Test func presigningGivesTheCapturedSignature() throws {
        var request = AWSRequest(
            method: "GET", rawQuery: "Action=GetCallerIdentity&Version=2011-06-15", headers: [("Host", "127.0.0.1:45025")],
            receivedAt: SigV4Samples.now)
        try SigV4Samples.signer(service: "sts").presign(&request, at: SigV4Samples.now, seconds: 60)
        #expect(request.rawQuery == SigV4Samples.presigned.rawQuery)
    }

    /// Made with botocore: a path that is encoded twice, query values in order, a header with spaces.
    @Test func pathQueryAndSpacesAreCanonicalAsBotocoreHasThem() throws {
        var request = AWSRequest(
            method: "GET", path: "/a%20b/%C3%A9~x", rawQuery: "b=2&a=x%20y&a=&c",
            headers: [("Host", "127.0.0.1:45025"), ("X-Amz-Thing", "  a   b  ")], receivedAt: SigV4Samples.now)
        try SigV4Samples.signer(service: "execute-api").sign(&request, at: SigV4Samples.now)
        #expect(
            request.header("authorization")?.hasSuffix("c0bcb65f04d943806190f56f7e82ed298ed79c0eb2bcf9ac314d9f112acbd30d") == true
        )
        #expect(SigV4Samples.refusal(of: request, service: "execute-api") == nil)
    }
}
