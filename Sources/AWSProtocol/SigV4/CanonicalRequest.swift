/// The text of a request that a signature covers.
///
/// Shape: method, path, query, one `name:value` line for each signed header in order of name, an empty line, the names
/// joined by `;`, SHA-256 of the body in hexadecimal; joined by line feeds.
///
/// Made from a request by the signer and the edge, and read back from text by a verifier that has only the text
/// (the private Authorize operation). Reading accepts exactly what making gives, so a text has one meaning.
package struct CanonicalRequest: Sendable, Equatable {
    static let maximumBytes = 64 << 10
    static let maximumSignedHeaders = 100

    package let method: String
    package let path: String
    package let query: String
    /// In order of name; names in lower case.
    package let headers: [Header]
    package let bodyHash: String

    package struct Header: Sendable, Equatable {
        package let name: String
        package let value: String
    }

    package var signedHeaders: String { headers.map(\.name).joined(separator: ";") }

    package var text: String {
        var text = "\(method)\n\(path)\n\(query)\n"
        for header in headers { text += "\(header.name):\(header.value)\n" }
        return text + "\n\(signedHeaders)\n\(bodyHash)"
    }

    /// The value of a signed header; nil when it was not signed.
    package func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }
}

extension CanonicalRequest {
    /// Of a request, over the named headers. Nil when a header is missing or occurs twice, or when the request cannot be
    /// put in one form that every reader agrees on. `bodyHash` is for a signer that has it already; nobody else may say what
    /// the body's hash is.
    init?(
        request: AWSRequest, signedHeaders names: [String], leavingOutQuerySignature: Bool, service: String,
        bodyHash known: String? = nil
    ) {
        guard names.count <= Self.maximumSignedHeaders, Self.areInOrder(names), Self.isToken(request.method),
            let path = Self.canonicalPath(request.path, service: service),
            let query = Self.canonicalQuery(request.rawQuery, leavingOutSignature: leavingOutQuerySignature)
        else { return nil }
        // Nil for a secret body that was wiped meanwhile.
        guard let bodyHash = known ?? SigV4.bodyHash(of: request) else { return nil }
        var headers: [Header] = []
        for name in names {
            let values = request.headerValues(name)
            // Joining doubled headers with a comma, as the guide has it, would let a proxy's reading differ from ours.
            guard values.count == 1, let value = Self.canonicalValue(values[0]) else { return nil }
            headers.append(Header(name: name, value: value))
        }
        self.init(
            method: request.method, path: path, query: query, headers: headers, bodyHash: bodyHash)
    }

    /// Of its text; nil for a text that `text` never gives.
    package init?(text: String) {
        guard text.utf8.count <= Self.maximumBytes else { return nil }
        // Split by bytes: as characters, CR LF is one and is not a line feed.
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        // Method, path, query, at least one header, the empty line, the names, the hash.
        guard lines.count >= 7, lines.count - 6 <= Self.maximumSignedHeaders else { return nil }
        let names = lines[lines.count - 2].utf8.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard lines[lines.count - 3].isEmpty, names.count == lines.count - 6, Self.areInOrder(names),
            Self.isToken(lines[0]), lines[1].utf8.first == UInt8(ascii: "/"),
            Hex.isLowerCase(lines[lines.count - 1], byteCount: SigV4.digestBytes)
        else { return nil }
        var headers: [Header] = []
        for (name, line) in zip(names, lines[3...]) {
            let start = Array((name + ":").utf8)
            guard line.utf8.starts(with: start) else { return nil }
            let value = String(decoding: line.utf8.dropFirst(start.count), as: UTF8.self)
            guard let canonical = Self.canonicalValue(value), canonical.utf8.elementsEqual(value.utf8) else { return nil }
            headers.append(Header(name: name, value: value))
        }
        self.init(
            method: lines[0], path: lines[1], query: lines[2], headers: headers, bodyHash: lines[lines.count - 1])
        guard Self.canonicalQuery(query, leavingOutSignature: false) == query, self.text.utf8.elementsEqual(text.utf8)
        else { return nil }
    }

    /// Lower case, in ascending order, none twice.
    private static func areInOrder(_ names: [String]) -> Bool {
        !names.isEmpty && names.allSatisfy { isToken($0) && $0 == $0.asciiLowercased }
            && zip(names, names.dropFirst()).allSatisfy { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// A header's name or a method (RFC 9110 section 5.6.2), without the characters that nobody uses.
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// Spaces and tabs at the ends dropped, runs inside made one space. Nil where there is a line break or NUL.
    private static func canonicalValue(_ value: String) -> String? {
        guard !value.utf8.contains(where: { $0 == 0x0A || $0 == 0x0D || $0 == 0 }) else { return nil }
        return value.utf8.split(whereSeparator: { $0 == 0x20 || $0 == 0x09 })
            .map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    }

    /// S3 encodes a path once, so as received; everybody else encodes it again. Nil for anything but an absolute path,
    /// and for dot segments and empty ones, which proxies resolve.
    private static func canonicalPath(_ path: String, service: String) -> String? {
        guard path.utf8.first == UInt8(ascii: "/"), path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        if service == "s3" { return path }
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        guard path == "/" || segments.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else { return nil }
        return PercentEncoding.encode(Array(path.utf8), keepingSlash: true)
    }

    /// Each name and value decoded and encoded again, in order of encoded name, then value. Nil for a broken escape and for
    /// a plus, which forms read as a space and others as itself.
    private static func canonicalQuery(_ query: String, leavingOutSignature: Bool) -> String? {
        guard query.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "+") }) else { return nil }
        var pairs: [(name: String, value: String)] = []
        for pair in Array(query.utf8).split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: true) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(parts[0], plusIsSpace: false),
                let value = PercentEncoding.decode(parts.count > 1 ? parts[1] : [], plusIsSpace: false)
            else { return nil }
            if leavingOutSignature, name == "X-Amz-Signature" { continue }
            pairs.append((PercentEncoding.encode(name), PercentEncoding.encode(value)))
        }
        pairs.sort { ($0.name, $0.value) < ($1.name, $1.value) }
        return pairs.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }
}
