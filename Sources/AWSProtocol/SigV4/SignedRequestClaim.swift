package import struct FoundationEssentials.Date

/// What a signed request claims: that the holder of an access key signed this text at this time. Nothing of it is true
/// before `SigV4Verifier` has said so.
///
/// Everything but the credential and the signature is derived from the canonical request, which the signature covers;
/// the credential's scope is covered through the string to sign. So the process that received the request can hand the claim on,
/// and whoever holds the secrets verifies it without trusting that process. What the text does not cover (other headers,
/// the address) is no part of it.
package struct SignedRequestClaim: Sendable, CustomStringConvertible {
    /// Longest life of a presigned request, a week.
    package static let maximumPresignedSeconds = 604_800

    package let canonicalRequest: CanonicalRequest
    /// Lower-case hexadecimal, if the client did well; compared and never parsed.
    package let signature: String
    /// `X-Amz-Date`, as signed.
    package let timestamp: String
    package let signedAt: Date
    package let sessionToken: String?
    /// Seconds for which a presigned request holds; nil for one with an Authorization header.
    package let presignedSeconds: Int?
    let credential: SigV4Credential

    package var accessKeyID: String { credential.accessKeyID }
    package var scope: CredentialScope { credential.scope }
    package var isPresigned: Bool { presignedSeconds != nil }

    /// The value of a header that the signature covers.
    package func signedHeader(_ name: String) -> String? { canonicalRequest.header(name) }

    /// Names no secret: the text of a request may hold a session token.
    package var description: String { "SignedRequestClaim(\(credential))" }

    init(canonicalRequest: CanonicalRequest, credential: SigV4Credential, signature: String) throws(AWSError) {
        guard canonicalRequest.header("host") != nil else { throw .mustBeSigned("Host") }
        if let hash = canonicalRequest.header("x-amz-content-sha256"), hash != canonicalRequest.bodyHash {
            throw .invalidSignature("The value of 'x-amz-content-sha256' is not the hash of the body.")
        }
        let signedQuery = SignedQuery(canonicalQuery: canonicalRequest.query)
        let headerToken = canonicalRequest.header("x-amz-security-token")
        let timestamp: String?
        if let signedQuery {
            guard signedQuery.isWhole, signedQuery.credential == credential.description,
                signedQuery.signedHeaders == canonicalRequest.signedHeaders, headerToken == nil
            else { throw .incompleteSignature("The query parameters of the signature contradict each other.") }
            timestamp = signedQuery.timestamp
        } else {
            timestamp = canonicalRequest.header("x-amz-date")
        }
        guard let timestamp, let signedAt = AWSTimestamp.parseBasic(timestamp) else {
            throw .incompleteSignature("Date must be in ISO-8601 'basic format' in 'X-Amz-Date', which must be signed.")
        }
        self.canonicalRequest = canonicalRequest
        self.credential = credential
        self.signature = signature
        self.timestamp = timestamp
        self.signedAt = signedAt
        sessionToken = signedQuery.map { $0.sessionToken } ?? headerToken
        presignedSeconds = signedQuery?.seconds
    }
}

extension SignedRequestClaim {
    /// Reads the claim of a request, from its Authorization header or from its query string.
    ///
    /// Refuses what a signature should have covered and does not: `Host` and every `x-amz-` header received must be
    /// signed, and a signed header may occur once.
    package init(parsing request: AWSRequest) throws(AWSError) {
        let authorizations = request.headerValues("authorization")
        let query = QuerySignature(rawQuery: request.rawQuery)
        let parts: SignatureParts
        switch (authorizations.count, query) {
        case (0, nil): throw .missingAuthenticationToken
        case (0, let query?): parts = try query.parts()
        case (1, nil): parts = try SignatureParts(authorization: authorizations[0])
        default: throw .incompleteSignature("The request is signed more than once.")
        }
        for (name, _) in request.headers {
            let name = name.asciiLowercased
            guard !name.hasPrefix("x-amz-") || parts.signedHeaders.contains(name) else { throw .mustBeSigned(name) }
        }
        guard parts.signedHeaders.contains("host") else { throw .mustBeSigned("Host") }
        let canonicalRequest = CanonicalRequest(
            request: request, signedHeaders: parts.signedHeaders, leavingOutQuerySignature: query != nil,
            service: parts.credential.scope.service)
        guard let canonicalRequest, canonicalRequest.text.utf8.count <= CanonicalRequest.maximumBytes else {
            throw .incompleteSignature(
                "The request has no canonical form: a signed header is missing or doubled, or the path or query is ambiguous.")
        }
        try self.init(
            canonicalRequest: canonicalRequest, credential: parts.credential, signature: parts.signature)
    }
}

extension SignedRequestClaim {
    /// The claim as the private Authorize operation carries it:
    /// `{"Credential": "AKIA…/20261123/us-west-2/forecast/aws4_request", "CanonicalRequest": "POST\n…", "Signature": "…"}`.
    package var json: JSONObject {
        [
            "Credential": .string(credential.description), "CanonicalRequest": .string(canonicalRequest.text),
            "Signature": .string(signature),
        ]
    }

    /// Reads such a claim as if it came from the caller itself.
    package init(json: JSONObject) throws(AWSError) {
        guard let credential = SigV4Credential(try json.requiredString("Credential")),
            let canonicalRequest = CanonicalRequest(text: try json.requiredString("CanonicalRequest"))
        else { throw .incompleteSignature("The claim is not well formed.") }
        let signature = try json.requiredString("Signature", length: 1...SignatureParts.maximumSignatureBytes)
        try self.init(canonicalRequest: canonicalRequest, credential: credential, signature: signature)
    }
}

extension AWSError {
    fileprivate static func mustBeSigned(_ header: String) -> AWSError {
        .invalidSignature("'\(header)' must be a 'SignedHeader' in the AWS Authorization.")
    }
}
