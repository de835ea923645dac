import AWSProtocol
import FoundationEssentials
import Secrets

/// Requests captured from boto3 and the AWS CLI, and the means to sign others.
enum SigV4Samples {
    static let accessKeyID = "AKIAIOSFODNN7EXAMPLE"
    static let secret = Redacted("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    static let now = Date(timeIntervalSince1970: 1_795_440_506)
    static let verifier = SigV4Verifier(region: "us-west-2")

    static func captured(
        contentType: String, target: String? = nil, token: String? = nil, service: String, body: String, signature: String
    ) -> AWSRequest {
        var headers = [("Host", "127.0.0.1:45025"), ("Accept-Encoding", "identity")]
        if let target { headers.append(("X-Amz-Target", target)) }
        headers += [
            ("Content-Type", contentType), ("User-Agent", "Boto3/1.43.11 md/Botocore#1.43.11 cfg/retry-mode#legacy"),
            ("X-Amz-Date", "20261123T132826Z"),
        ]
        if let token { headers.append(("X-Amz-Security-Token", token)) }
        let signed = [
            "content-type", "host", "x-amz-date", token.map { _ in "x-amz-security-token" }, target.map { _ in "x-amz-target" },
        ]
        let names = signed.compactMap(\.self).joined(separator: ";")
        headers += [
            (
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=\(accessKeyID)/20261123/us-west-2/\(service)/aws4_request, "
                    + "SignedHeaders=\(names), Signature=\(signature)"
            ), ("amz-sdk-invocation-id", "63090bea-818b-41cd-b79f-057e117cc781"), ("amz-sdk-request", "attempt=1"),
            ("Content-Length", String(body.utf8.count)),
        ]
        return AWSRequest(headers: headers, body: Array(body.utf8), receivedAt: now)
    }

    static let forecast = captured(
        contentType: "application/x-amz-json-1.1", target: "AmazonForecast.CreateDatasetGroup", service: "forecast",
        body: #"{"DatasetGroupName": "demo", "Domain": "CUSTOM"}"#,
        signature: "11bf3a9dbcb03782ad09bec5176169c827b0b4a306041ae51db7f5c7ed3f6657")
    static let kms = captured(
        contentType: "application/x-amz-json-1.1", target: "TrentService.GenerateDataKey", token: "TOKEN123", service: "kms",
        body: #"{"KeyId": "1", "KeySpec": "AES_256", "EncryptionContext": {"a": "b"}}"#,
        signature: "5726e3a80b8262f79b74b3decdcf5c501d53123e674d2d7f768ce78104ffdcbb")
    static let sts = captured(
        contentType: "application/x-www-form-urlencoded; charset=utf-8", service: "sts",
        body: "Action=GetCallerIdentity&Version=2011-06-15",
        signature: "e403ed8853ca43a7bab4210423fbdf3494ad8fbf8c902f52802ba254ef9d94ed")

    static let presigned = presigned(
        query: "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256"
            + "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261123%2Fus-west-2%2Fsts%2Faws4_request&X-Amz-Date=20261123T132826Z"
            + "&X-Amz-Expires=60&X-Amz-SignedHeaders=host"
            + "&X-Amz-Signature=146245863a5a1d17e48294531adb0a641a589bc5d83ebfcf4052a1397a4d34aa")
    static let presignedWithToken = presigned(
        query: "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256"
            + "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261123%2Fus-west-2%2Fsts%2Faws4_request&X-Amz-Date=20261123T132826Z"
            + "&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Security-Token=FwoGZXIvYXdzEBc%2B%2F%3DTOKEN"
            + "&X-Amz-Signature=547d59c8f49fb6f1553336d226fdcdfbd65034baea59baaeb8b41275c1468a45")

    private static func presigned(query: String) -> AWSRequest {
        AWSRequest(method: "GET", rawQuery: query, headers: [("Host", "127.0.0.1:45025")], receivedAt: now)
    }

    /// The code of the error with which a request is refused; nil where it is accepted.
    static func refusal(
        of request: AWSRequest, service: String, secret: Redacted<String>? = Self.secret, now: Date = Self.now
    ) -> String? {
        do {
            let claim = try SignedRequestClaim(parsing: request)
            try verifier.verify(claim, service: service, secret: secret, now: now)
            // What the authority gets by the private operation must be decided alike.
            try verifier.verify(try SignedRequestClaim(json: claim.json), service: service, secret: secret, now: now)
            return nil
        } catch {
            return error.code
        }
    }

    static func signer(service: String, token: String? = nil) -> SigV4Signer {
        SigV4Signer(
            credentials: AWSCredentials(accessKeyID: accessKeyID, secretAccessKey: secret, sessionToken: token),
            region: "us-west-2", service: service)
    }
}

extension AWSRequest {
    mutating func setHeader(_ name: String, _ value: String) {
        headers = headers.map { $0.0.isEqualIgnoringASCIICase(to: name) ? ($0.0, value) : $0 }
    }

    mutating func replaceInAuthorization(_ old: String, _ new: String) {
        let text = header("authorization") ?? ""
        guard let range = text.firstRange(of: old) else { return }
        setHeader("authorization", text.replacingCharacters(in: range, with: new))
    }
}

extension String {
    func replacingCharacters(in range: Range<Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}
