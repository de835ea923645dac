import AWSClients
import AWSProtocol
import Crypto
import FoundationEssentials
import ObjectStore
import Secrets
import Synchronization

/// An S3 in memory, behind the seam of the network: it verifies every signature and the hash of every body, keeps its promises to the
/// letter, and fails where a test says so. What real servers do beside it is `S3ServerTests`' matter.
final class MemoryS3: AWSTransport {
    static let credentials = AWSCredentials(
        accessKeyID: "AKIAEXAMPLE", secretAccessKey: Redacted("secret"), sessionToken: "token")
    static let bucket = "test-bucket"

    /// What happens to a request instead of, or after, being carried out.
    enum Fault: Sendable {
        /// Carried out, and the answer is lost.
        case answerLost
        /// Not carried out, and no answer.
        case requestLost
        /// Refused.
        case answer(Int, String)
    }

    struct Object: Sendable {
        var bytes: [UInt8]
        var metadata: [String: String]
        var tag: String
    }

    struct Upload: Sendable {
        var key: String
        var metadata: [String: String]
        var parts: [Int: [UInt8]] = [:]
        var begun: Date
    }

    struct Contents: Sendable {
        var objects: [String: Object] = [:]
        var uploads: [String: Upload] = [:]
        var requests: [String] = []
        var faults: [(matches: @Sendable (String) -> Bool, fault: Fault)] = []
        var made = 0
    }

    /// Whether it knows conditions: without, it answers 501 to one (false), or does as if there were none (nil).
    let knowsConditions: Bool?
    let now: Date
    let contents = Mutex(Contents())

    init(knowsConditions: Bool? = true, now: Date = Date()) {
        self.knowsConditions = knowsConditions
        self.now = now
    }

    /// The next request whose line (`PUT /test-bucket/key?query`) begins so meets this fault.
    func fail(_ start: String, _ fault: Fault, times: Int = 1) {
        contents.withLock { contents in
            for _ in 0..<times { contents.faults.append(({ $0.hasPrefix(start) }, fault)) }
        }
    }

    func store(
        folder: String = "", writeOnce: S3ObjectStore.WriteOnce = .conditional,
        addressing: S3Endpoint.Addressing = .path
    ) throws -> S3ObjectStore {
        let client = S3Client(
            endpoint: S3Endpoint(endpoint: "https://s3.example.com", region: "eu-central-1", addressing: addressing),
            credentials: StaticCredentials(Self.credentials), transport: self,
            surroundings: .init(sleep: { _ in }, jitter: { 0.5 }))
        return try S3ObjectStore(
            client: client, bucket: try BucketName(Self.bucket), folder: try ObjectPrefix(folder), writeOnce: writeOnce)
    }

    // MARK: Answering

    struct NoAnswer: Error {}

    func send(_ call: AWSTransportCall) async throws -> AWSTransportAnswer {
        let request = call.request
        do {
            let claim = try SignedRequestClaim(parsing: request)
            guard claim.signedHeader("x-amz-content-sha256") != nil else { return error(403, "AccessDenied") }
            for header in ["if-match", "if-none-match", "range"] where request.header(header) != nil {
                guard claim.signedHeader(header) != nil else { return error(403, "AccessDenied") }
            }
            try SigV4Verifier(region: "eu-central-1").verify(
                claim, service: "s3", secret: Self.credentials.secretAccessKey, now: Date())
        } catch {
            return self.error(403, "SignatureDoesNotMatch")
        }
        guard let path = PercentEncoding.decode(request.path.utf8, plusIsSpace: false),
            let query = try? QueryParameters(form: request.rawQuery.utf8, plusIsSpace: false)
        else { return error(400, "InvalidURI") }
        let isVirtual = call.endpoint == "https://\(Self.bucket).s3.example.com"
        let key: String
        if isVirtual {
            key = String(path.dropFirst())
        } else {
            guard path.hasPrefix("/" + Self.bucket) else {
                return request.method == "HEAD" ? AWSTransportAnswer(status: 404, body: .bytes([])) : error(404, "NoSuchBucket")
            }
            key = String(path.dropFirst(Self.bucket.utf8.count + 2))
        }
        return try contents.withLock { contents in
            let line = "\(request.method) \(path)" + (request.rawQuery.isEmpty ? "" : "?" + request.rawQuery)
            contents.requests.append(line)
            let index = contents.faults.firstIndex { $0.matches(line) }
            let fault = index.map { contents.faults.remove(at: $0).fault }
            switch fault {
            case .requestLost: throw NoAnswer()
            case .answer(let status, let code): return error(status, code)
            case .answerLost:
                _ = answer(request, key, query, &contents)
                throw NoAnswer()
            case nil: return answer(request, key, query, &contents)
            }
        }
    }

    private func answer(
        _ request: AWSRequest, _ key: String, _ query: QueryParameters, _ contents: inout Contents
    ) -> AWSTransportAnswer {
        switch (request.method, key.isEmpty) {
        case ("HEAD", true): ok(headers: [("Date", "Mon, 30 Nov 2026 22:06:28 GMT")])
        case ("HEAD", false): head(contents.objects[key])
        case ("GET", true): query["uploads"] == nil ? list(query, contents) : listUploads(query, contents)
        case ("GET", false): get(request, contents.objects[key])
        case ("PUT", _): query["uploadId"] == nil ? put(request, key, &contents) : putPart(request, query, &contents)
        case ("POST", _): query["uploads"] == nil ? complete(request, key, query, &contents) : begin(request, key, &contents)
        case ("DELETE", _):
            if let id = query["uploadId"] {
                contents.uploads.removeValue(forKey: id) == nil ? error(404, "NoSuchUpload") : ok(204)
            } else {
                {
                    contents.objects[key] = nil; return ok(204)
                }()
            }
        default: error(405, "MethodNotAllowed")
        }
    }

    private func head(_ object: Object?) -> AWSTransportAnswer {
        guard let object else { return AWSTransportAnswer(status: 404, body: .bytes([])) }
        return ok(
            headers: [("Content-Length", "\(object.bytes.count)"), ("ETag", object.tag)]
                + object.metadata.map { ("X-Amz-Meta-" + $0.key, $0.value) })
    }

    private func get(_ request: AWSRequest, _ object: Object?) -> AWSTransportAnswer {
        guard let object else { return error(404, "NoSuchKey") }
        if let tag = request.header("if-match"), tag != object.tag { return error(412, "PreconditionFailed") }
        let bounds = (request.header("range") ?? "").dropFirst("bytes=".count).split(separator: "-").compactMap { Int($0) }
        guard bounds.count == 2 else { return error(400, "InvalidRange") }
        guard bounds[0] < object.bytes.count else { return error(416, "InvalidRange") }
        let last = min(bounds[1], object.bytes.count - 1)
        return ok(
            206, headers: [("ETag", object.tag), ("Content-Range", "bytes \(bounds[0])-\(last)/\(object.bytes.count)")],
            Array(object.bytes[bounds[0]...last]))
    }

    /// The refusal of a condition, if there is one that does not hold.
    private func refusal(_ request: AWSRequest, _ key: String, _ contents: Contents) -> AWSTransportAnswer? {
        guard request.header("if-none-match") == "*" else { return nil }
        guard let knowsConditions else { return nil }
        guard knowsConditions else { return error(501, "NotImplemented") }
        return contents.objects[key] == nil ? nil : error(412, "PreconditionFailed")
    }

    private func put(_ request: AWSRequest, _ key: String, _ contents: inout Contents) -> AWSTransportAnswer {
        if let refusal = refusal(request, key, contents) { return refusal }
        contents.objects[key] = object(request.body, metadata(request), &contents)
        return ok()
    }

    private func begin(_ request: AWSRequest, _ key: String, _ contents: inout Contents) -> AWSTransportAnswer {
        contents.made += 1
        let id = "upload-\(contents.made)"
        contents.uploads[id] = Upload(key: key, metadata: metadata(request), begun: now)
        return xml("<InitiateMultipartUploadResult><UploadId>\(id)</UploadId></InitiateMultipartUploadResult>")
    }

    private func putPart(_ request: AWSRequest, _ query: QueryParameters, _ contents: inout Contents) -> AWSTransportAnswer {
        guard let id = query["uploadId"], contents.uploads[id] != nil else { return error(404, "NoSuchUpload") }
        contents.uploads[id]?.parts[Int(query["partNumber"] ?? "") ?? 0] = request.body
        return ok(headers: [("ETag", "\"\(Self.digest(request.body))\"")])
    }

    private func complete(
        _ request: AWSRequest, _ key: String, _ query: QueryParameters, _ contents: inout Contents
    ) -> AWSTransportAnswer {
        guard let id = query["uploadId"], let upload = contents.uploads[id] else { return error(404, "NoSuchUpload") }
        if let refusal = refusal(request, key, contents) { return refusal }
        var bytes: [UInt8] = []
        for (index, part) in (XMLReader.parse(request.body)?.children ?? []).enumerated() {
            guard let content = upload.parts[index + 1], part["ETag"]?.text == "\"\(Self.digest(content))\"" else {
                return error(400, "InvalidPart")
            }
            bytes += content
        }
        contents.objects[key] = object(bytes, upload.metadata, &contents)
        contents.uploads[id] = nil
        return xml("  \n<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>")
    }

    private func list(_ query: QueryParameters, _ contents: Contents) -> AWSTransportAnswer {
        let (prefix, mark, limit) = (query["prefix"] ?? "", query["start-after"] ?? "", Int(query["max-keys"] ?? "") ?? 1000)
        let keys = contents.objects.keys
            .filter { $0.utf8.starts(with: prefix.utf8) && mark.utf8.lexicographicallyPrecedes($0.utf8) }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let page = keys.prefix(limit).map { key in
            let object = contents.objects[key]
            return "<Contents><Key>\(PercentEncoding.encode(key))</Key><Size>\(object?.bytes.count ?? 0)</Size>"
                + "<ETag>\(object?.tag ?? "")</ETag></Contents>"
        }
        return xml(
            "<?xml version=\"1.0\"?><ListBucketResult><EncodingType>url</EncodingType><IsTruncated>\(keys.count > limit)</IsTruncated>"
                + page.joined() + "</ListBucketResult>")
    }

    /// One upload a page, so that pages are turned.
    private func listUploads(_ query: QueryParameters, _ contents: Contents) -> AWSTransportAnswer {
        let ids = contents.uploads.filter { $0.value.key.hasPrefix(query["prefix"] ?? "") }.keys.sorted()
        let rest = ids.filter { $0 > query["upload-id-marker"] ?? "" }
        guard let id = rest.first, let upload = contents.uploads[id] else {
            return xml("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>")
        }
        return xml(
            "<ListMultipartUploadsResult><IsTruncated>\(rest.count > 1)</IsTruncated><NextKeyMarker>\(upload.key)</NextKeyMarker>"
                + "<NextUploadIdMarker>\(id)</NextUploadIdMarker><Upload><Key>\(upload.key)</Key><UploadId>\(id)</UploadId>"
                + "<Initiated>\(AWSTimestamp.extended(upload.begun))</Initiated></Upload></ListMultipartUploadsResult>")
    }

    // MARK: Pieces

    private func object(_ bytes: [UInt8], _ metadata: [String: String], _ contents: inout Contents) -> Object {
        contents.made += 1
        return Object(bytes: bytes, metadata: metadata, tag: "\"\(contents.made)-\(Self.digest(bytes))\"")
    }

    private func metadata(_ request: AWSRequest) -> [String: String] {
        var found: [String: String] = [:]
        for (name, value) in request.headers where name.lowercased().hasPrefix("x-amz-meta-") {
            found[String(name.lowercased().dropFirst("x-amz-meta-".count))] = value
        }
        return found
    }

    private static func digest(_ bytes: [UInt8]) -> String { Hex.encode(SHA256.hash(data: bytes).prefix(8)) }

    private func ok(_ status: Int = 200, headers: [(String, String)] = [], _ body: [UInt8] = []) -> AWSTransportAnswer {
        AWSTransportAnswer(status: status, headers: headers, body: .bytes(body))
    }

    private func xml(_ text: String) -> AWSTransportAnswer { ok(200, Array(text.utf8)) }

    private func error(_ status: Int, _ code: String) -> AWSTransportAnswer {
        AWSTransportAnswer(
            status: status,
            body: .bytes(Array("<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>m</Message></Error>".utf8)))
    }
}
