import AWSProtocol

/// Reads what S3 answers.
enum S3Answer {
    static let metadataPrefix = "x-amz-meta-"

    /// The body of an answer with one of these statuses; of any other one its error.
    static func of(_ answer: AWSTransportAnswer, expecting statuses: Set<Int>) throws(AWSError) -> [UInt8] {
        guard case .bytes(let bytes) = answer.body else { throw .malformedAnswer() }
        guard statuses.contains(answer.status) else { throw error(answer.status, bytes) }
        return bytes
    }

    static func xml(_ answer: AWSTransportAnswer, root name: String) throws(AWSError) -> XMLElement {
        let bytes = try of(answer, expecting: [200])
        guard let root = XMLReader.parse(bytes, maximumBytes: S3Client.maximumAnswerBytes) else { throw .malformedAnswer() }
        guard root.name != "Error" else { throw error(500, bytes) }
        guard root.name == name else { throw .malformedAnswer() }
        return root
    }

    /// `<Error><Code>NoSuchKey</Code><Message>…</Message></Error>`; a HEAD has no body, and a proxy's body is none of S3's.
    private static func error(_ status: Int, _ body: [UInt8]) -> AWSError {
        if let root = XMLReader.parse(body), root.name == "Error", let code = root["Code"]?.text, !code.isEmpty {
            let message = (root["Message"]?.text ?? "").prefix(AnswerError.maximumMessageCharacters)
            return AWSError(code: code, message: String(message), status: status)
        }
        let code =
            switch status {
            case 301, 302, 307, 308: "Redirect"
            case 403: "Forbidden"
            case 404: "NotFound"
            case 412: "PreconditionFailed"
            case 429: "SlowDown"
            case 501: "NotImplemented"
            default: "UnknownError"
            }
        return AWSError(code: code, message: "The endpoint answered with status \(status).", status: status)
    }

    static func metadata(_ answer: AWSTransportAnswer) -> [String: String] {
        var found: [String: String] = [:]
        for (name, value) in answer.headers {
            let name = name.asciiLowercased
            if name.hasPrefix(metadataPrefix) { found[String(name.dropFirst(metadataPrefix.count))] = value }
        }
        return found
    }

    /// A name in a listing: encoded where the server did what was asked of it, as it is where it does not know of encodings.
    static func decoded(_ text: String?, in root: XMLElement) -> String? {
        guard let text, root["EncodingType"]?.text == "url" else { return text }
        return PercentEncoding.decode(text.utf8, plusIsSpace: true)
    }
}
