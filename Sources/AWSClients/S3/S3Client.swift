package import AWSProtocol

package import struct FoundationEssentials.Date

/// Calls of S3, at AWS or at another server that has its REST interface. Follows no redirects; every body is signed.
package struct S3Client: Sendable {
    package static let signingName = "s3"
    /// Longest piece of an object in one answer or one request.
    package static let pieceBytes = 8 << 20
    /// Longest answer in XML: 1000 keys of 1024 bytes, each of them encoded in three.
    static let maximumAnswerBytes = 8 << 20
    /// What one attempt may take besides its transfer.
    private static let attemptTimeout: Duration = .seconds(10)
    /// Slower than this is as good as not at all.
    private static let leastBytesPerSecond = 64 << 10
    private static let totalTimeout: Duration = .seconds(60)
    private static let retries = RetryPolicy(
        attempts: 5, base: .milliseconds(100), throttledBase: .seconds(1), cap: .seconds(5))

    /// From the first attempt's beginning to the end of the last: after it nothing of a call lands any more.
    package static let longestCall =
        totalTimeout + attemptTimeout + .seconds(pieceBytes / leastBytesPerSecond)

    package let endpoint: S3Endpoint
    private let caller: AWSCaller

    package init(
        endpoint: S3Endpoint, credentials: any AWSCredentialsProvider, transport: any AWSTransport,
        surroundings: AWSCaller.Surroundings = .init()
    ) {
        self.endpoint = endpoint
        caller = AWSCaller(
            configuration: AWSClientConfiguration(
                endpoint: endpoint.endpoint, region: endpoint.region, credentials: credentials,
                totalTimeout: Self.totalTimeout, retries: Self.retries),
            transport: transport, signingName: Self.signingName, surroundings: surroundings)
    }

    // MARK: Objects

    /// Writes an object in one piece. With `ifAbsent` PreconditionFailed is thrown where the name is taken.
    package func putObject(
        bucket: String, key: String, _ body: [UInt8], metadata: [String: String] = [:], ifAbsent: Bool
    ) async throws(AWSError) {
        precondition(body.count <= Self.pieceBytes, "internal: longer objects are uploaded in parts")
        try await send(
            "PUT", bucket, key, headers: Self.metadata(metadata) + Self.condition(ifAbsent), body: body
        ) { (answer) throws(AWSError) in _ = try S3Answer.of(answer, expecting: [200]) }
    }

    /// Nil where there is no such object; or no such bucket, which an answer without body does not tell apart.
    package func headObject(bucket: String, key: String) async throws(AWSError) -> S3ObjectHead? {
        try await send("HEAD", bucket, key) { (answer) throws(AWSError) -> S3ObjectHead? in
            guard answer.status != 404 else { return nil }
            _ = try S3Answer.of(answer, expecting: [200])
            guard let length = answer.header("content-length").flatMap({ Int($0) }), length >= 0,
                let tag = answer.header("etag"), !tag.isEmpty
            else { throw .malformedAnswer() }
            return S3ObjectHead(length: length, tag: tag, metadata: S3Answer.metadata(answer))
        }
    }

    /// The bytes of `range`, fewer where the object ends first, none where it ended before. Throws PreconditionFailed where
    /// `ifTag` is given and the object has another one.
    package func getObject(
        bucket: String, key: String, _ range: Range<Int>, ifTag: String? = nil
    ) async throws(AWSError) -> S3ObjectPiece {
        precondition(!range.isEmpty && range.count <= Self.pieceBytes, "internal: a piece has 1 to pieceBytes bytes")
        var headers = [("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")]
        if let ifTag { headers.append(("If-Match", ifTag)) }
        return try await send("GET", bucket, key, headers: headers, bytes: range.count) { (answer) throws(AWSError) in
            // The object ends before the range: an empty one ends before any.
            if answer.status == 416 { return S3ObjectPiece(bytes: [], tag: nil, length: nil) }
            let bytes = try S3Answer.of(answer, expecting: [200, 206])
            return try S3ObjectPiece(bytes: bytes, of: range, answer)
        }
    }

    package func deleteObject(bucket: String, key: String) async throws(AWSError) {
        try await send("DELETE", bucket, key) { (answer) throws(AWSError) in
            _ = try S3Answer.of(answer, expecting: [200, 204])
        }
    }

    // MARK: Buckets

    /// Objects under the prefix, in the order of their names' bytes, from the one after `startAfter` on.
    package func listObjects(
        bucket: String, prefix: String, startAfter: String?, limit: Int
    ) async throws(AWSError) -> S3ObjectPage {
        // Names may hold what XML cannot.
        var query = [
            ("list-type", "2"), ("encoding-type", "url"), ("prefix", prefix), ("max-keys", String(limit)),
        ]
        if let startAfter { query.append(("start-after", startAfter)) }
        return try await send("GET", bucket, nil, query: query) { (answer) throws(AWSError) in
            try S3ObjectPage(try S3Answer.xml(answer, root: "ListBucketResult"))
        }
    }

    /// The server's clock. Throws NoSuchBucket, or Forbidden where the bucket may not be listed.
    package func headBucket(_ bucket: String) async throws(AWSError) -> Date? {
        try await send("HEAD", bucket, nil) { (answer) throws(AWSError) in
            guard answer.status != 404 else {
                throw AWSError(code: "NoSuchBucket", message: "There is no such bucket.", status: 404)
            }
            _ = try S3Answer.of(answer, expecting: [200])
            return answer.header("date").flatMap { AWSTimestamp.parseHTTP($0) }
        }
    }

    // MARK: Sending

    func send<R: Sendable>(
        _ method: String, _ bucket: String, _ key: String?, query: [(String, String)] = [],
        headers: [(String, String)] = [], body: [UInt8] = [], bytes: Int = 0,
        read: (AWSTransportAnswer) throws(AWSError) -> R
    ) async throws(AWSError) -> R {
        let (endpoint, path) = endpoint.place(bucket: bucket, key: key)
        let transfer = Duration.seconds((body.count + bytes) / Self.leastBytesPerSecond)
        return try await caller.rest(
            RESTRequest(method: method, endpoint: endpoint, path: path, query: query, headers: headers, body: body),
            timeout: Self.attemptTimeout + transfer, read: read)
    }

    static func metadata(_ values: [String: String]) -> [(String, String)] {
        values.sorted { $0.key < $1.key }.map { (S3Answer.metadataPrefix + $0.key, $0.value) }
    }

    static func condition(_ ifAbsent: Bool) -> [(String, String)] { ifAbsent ? [("If-None-Match", "*")] : [] }
}
