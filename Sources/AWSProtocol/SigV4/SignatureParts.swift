/// What a request says about its own signature: who, over which headers, and the signature.
struct SignatureParts: Sendable {
    static let maximumSignatureBytes = 128

    let credential: SigV4Credential
    let signedHeaders: [String]
    let signature: String

    /// Of `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`, in any order, with or without spaces.
    init(authorization: String) throws(AWSError) {
        let text = authorization.utf8.drop { $0 == 0x20 }
        guard text.starts(with: (SigV4.algorithm + " ").utf8) else {
            throw .incompleteSignature("Authorization header requires the algorithm '\(SigV4.algorithm)'.")
        }
        var values: [String: String] = [:]
        for part in text.dropFirst(SigV4.algorithm.utf8.count).split(separator: UInt8(ascii: ",")) {
            let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self).trimmingSpaces }
            guard pair.count == 2, values.updateValue(pair[1], forKey: pair[0]) == nil, values.count <= 3 else {
                throw .incompleteSignature("Authorization header is not well formed.")
            }
        }
        for name in ["Credential", "Signature", "SignedHeaders"] where values[name]?.isEmpty ?? true {
            throw .incompleteSignature("Authorization header requires '\(name)' parameter.")
        }
        try self.init(
            credential: values["Credential"] ?? "", signedHeaders: values["SignedHeaders"] ?? "",
            signature: values["Signature"] ?? "")
    }

    init(credential: String, signedHeaders: String, signature: String) throws(AWSError) {
        guard let credential = SigV4Credential(credential) else {
            throw .incompleteSignature(
                "Credential must have the form '<access key id>/<YYYYMMDD>/<region>/<service>/\(SigV4.terminator)'.")
        }
        guard signature.utf8.count <= Self.maximumSignatureBytes else {
            throw .incompleteSignature("Signature is too long.")
        }
        self.credential = credential
        self.signedHeaders = signedHeaders.split(separator: ";", omittingEmptySubsequences: false).map(String.init)
        self.signature = signature
    }
}

/// The signature in the query string of a presigned request.
struct QuerySignature: Sendable {
    private let values: [String: [String]]

    /// Nil where the query string holds no part of a signature.
    init?(rawQuery: String) {
        guard rawQuery.utf8.count > 0 else { return nil }
        var values: [String: [String]] = [:]
        for pair in Array(rawQuery.utf8).split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(parts[0], plusIsSpace: false), name.hasPrefix("X-Amz-") else { continue }
            let value = PercentEncoding.decode(parts.count > 1 ? parts[1] : [], plusIsSpace: false) ?? ""
            values[name, default: []].append(value)
        }
        guard values["X-Amz-Algorithm"] != nil || values["X-Amz-Signature"] != nil || values["X-Amz-Credential"] != nil
        else { return nil }
        self.values = values
    }

    func parts() throws(AWSError) -> SignatureParts {
        guard values["X-Amz-Algorithm"] == [SigV4.algorithm] else {
            throw .incompleteSignature("'X-Amz-Algorithm' must be '\(SigV4.algorithm)'.")
        }
        return try SignatureParts(
            credential: one("X-Amz-Credential"), signedHeaders: one("X-Amz-SignedHeaders"),
            signature: one("X-Amz-Signature"))
    }

    private func one(_ name: String) throws(AWSError) -> String {
        guard let values = values[name], values.count == 1 else {
            throw .incompleteSignature("AWS query-string parameters must include '\(name)' once.")
        }
        return values[0]
    }
}

/// The same parameters, read from a canonical query string; nil where it is none of a presigned request.
struct SignedQuery: Sendable {
    private let values: [String: String]
    private let hasDoubles: Bool

    init?(canonicalQuery: String) {
        var values: [String: String] = [:]
        var hasDoubles = false
        for pair in canonicalQuery.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts[0].hasPrefix("X-Amz-") else { continue }
            let value = PercentEncoding.decode((parts.count > 1 ? parts[1] : "").utf8, plusIsSpace: false) ?? ""
            hasDoubles = values.updateValue(value, forKey: String(parts[0])) != nil || hasDoubles
        }
        guard !values.isEmpty else { return nil }
        self.values = values
        self.hasDoubles = hasDoubles
    }

    /// Whether all parameters are there, each once, and the signature itself is not.
    var isWhole: Bool {
        !hasDoubles && values["X-Amz-Algorithm"] == SigV4.algorithm && values["X-Amz-Signature"] == nil
            && seconds != nil
    }

    var credential: String? { values["X-Amz-Credential"] }
    var signedHeaders: String? { values["X-Amz-SignedHeaders"] }
    var timestamp: String? { values["X-Amz-Date"] }
    var sessionToken: String? { values["X-Amz-Security-Token"] }

    var seconds: Int? {
        // Written as clients write it: no sign, no leading zero.
        guard let text = values["X-Amz-Expires"], let seconds = Int(text), String(seconds) == text,
            (1...SignedRequestClaim.maximumPresignedSeconds).contains(seconds)
        else { return nil }
        return seconds
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        let kept = utf8.drop { $0 == 0x20 || $0 == 0x09 }
        let trailing = kept.reversed().prefix { $0 == 0x20 || $0 == 0x09 }.count
        return String(decoding: kept.dropLast(trailing), as: UTF8.self)
    }
}
