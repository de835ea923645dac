import Secrets

package import struct FoundationEssentials.Date

/// Signs requests as AWS's clients do: `Host`, `Content-Type` and every `x-amz-` header, over the body as it is. For S3 also
/// what a request is conditional on: without its condition it would be another request.
package struct SigV4Signer: Sendable {
    private let credentials: AWSCredentials
    private let region: String
    private let service: String

    package init(credentials: AWSCredentials, region: String, service: String) {
        self.credentials = credentials
        self.region = region
        self.service = service
    }

    /// Adds `X-Amz-Date`, the session's token and `Authorization`, in place of any that are there. The request must have its
    /// `Host`. Throws IncompleteSignatureException for a request that has no canonical form.
    ///
    /// - Parameter bodyHash: SHA-256 of the body in hexadecimal, where the caller has it.
    package func sign(_ request: inout AWSRequest, at date: Date, bodyHash: String? = nil) throws(AWSError) {
        let timestamp = AWSTimestamp.basic(date)
        request.headers.removeAll { name, _ in
            ["authorization", "x-amz-date", "x-amz-security-token"].contains(name.asciiLowercased)
        }
        request.headers.append(("X-Amz-Date", timestamp))
        if let token = credentials.sessionToken { request.headers.append(("X-Amz-Security-Token", token)) }
        let canonical = try canonicalRequest(of: request, signedHeaders: signedHeaders(of: request), bodyHash: bodyHash)
        let credential = credential(at: timestamp)
        let signature = signature(of: canonical, credential: credential, timestamp: timestamp)
        request.headers.append(
            (
                "Authorization",
                "\(SigV4.algorithm) Credential=\(credential), SignedHeaders=\(canonical.signedHeaders), Signature=\(signature)"
            ))
    }

    /// SHA-256 of a body as `x-amz-content-sha256` has it.
    package static func bodyHash(_ bytes: [UInt8]) -> String { SigV4.sha256(bytes) }

    /// Puts the signature into the query string, for a request that somebody else will send within `seconds`.
    package func presign(_ request: inout AWSRequest, at date: Date, seconds: Int) throws(AWSError) {
        let timestamp = AWSTimestamp.basic(date)
        let names = signedHeaders(of: request)
        let credential = credential(at: timestamp)
        var parameters = [
            ("X-Amz-Algorithm", SigV4.algorithm), ("X-Amz-Credential", credential.description),
            ("X-Amz-Date", timestamp), ("X-Amz-Expires", String(seconds)),
            ("X-Amz-SignedHeaders", names.joined(separator: ";")),
        ]
        if let token = credentials.sessionToken { parameters.append(("X-Amz-Security-Token", token)) }
        append(parameters, to: &request)
        let canonical = try canonicalRequest(of: request, signedHeaders: names)
        append([("X-Amz-Signature", signature(of: canonical, credential: credential, timestamp: timestamp))], to: &request)
    }

    private static let alwaysSigned: Set<String> = ["host", "content-type"]
    private static let signedForS3: Set<String> = ["if-match", "if-none-match", "range"]

    private func signedHeaders(of request: AWSRequest) -> [String] {
        let names = request.headers.map { $0.0.asciiLowercased }
        let others = Self.alwaysSigned.union(service == "s3" ? Self.signedForS3 : [])
        return names.filter { others.contains($0) || $0.hasPrefix("x-amz-") }.sorted()
    }

    private func canonicalRequest(
        of request: AWSRequest, signedHeaders: [String], bodyHash: String? = nil
    ) throws(AWSError) -> CanonicalRequest {
        let canonical = CanonicalRequest(
            request: request, signedHeaders: signedHeaders, leavingOutQuerySignature: false, service: service,
            bodyHash: bodyHash)
        guard let canonical, canonical.header("host") != nil else {
            throw .incompleteSignature("The request has no canonical form.")
        }
        return canonical
    }

    private func credential(at timestamp: String) -> SigV4Credential {
        SigV4Credential(
            accessKeyID: credentials.accessKeyID,
            scope: CredentialScope(date: String(timestamp.prefix(8)), region: region, service: service))
    }

    private func signature(
        of canonical: CanonicalRequest, credential: SigV4Credential, timestamp: String
    ) -> String {
        let text = SigV4.stringToSign(timestamp: timestamp, scope: credential.scope, canonicalRequest: canonical.text)
        // Lends the text's own bytes: an array of them would be one copy more.
        var secret = credentials.secretAccessKey.revealed
        return secret.withUTF8 {
            SigV4.signature(secret: UnsafeRawBufferPointer($0), scope: credential.scope, stringToSign: text)
        }
    }

    private func append(_ parameters: [(String, String)], to request: inout AWSRequest) {
        let pairs = parameters.map { PercentEncoding.encode($0.0) + "=" + PercentEncoding.encode($0.1) }
        request.rawQuery = ([request.rawQuery].filter { !$0.isEmpty } + pairs).joined(separator: "&")
    }
}
