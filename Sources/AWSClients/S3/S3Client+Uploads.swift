package import AWSProtocol

/// Uploads in parts. Nothing of one is seen before it is completed; parts stay, and are paid for, until it is completed or aborted.
extension S3Client {
    /// S3's own bounds of parts; the last one may be shorter.
    package static let maximumParts = 10_000
    package static let minimumPartBytes = 5 << 20

    /// Begins an upload; returns its id.
    package func createUpload(
        bucket: String, key: String, metadata: [String: String] = [:]
    ) async throws(AWSError) -> String {
        try await send(
            "POST", bucket, key, query: [("uploads", "")], headers: Self.metadata(metadata)
        ) { (answer) throws(AWSError) in
            let root = try S3Answer.xml(answer, root: "InitiateMultipartUploadResult")
            guard let id = root["UploadId"]?.text, !id.isEmpty else { throw .malformedAnswer() }
            return id
        }
    }

    /// Uploads a part (numbers begin with 1); returns its tag, which completing needs.
    package func uploadPart(
        bucket: String, key: String, upload: String, number: Int, _ body: [UInt8]
    ) async throws(AWSError) -> String {
        let query = [("partNumber", String(number)), ("uploadId", upload)]
        return try await send("PUT", bucket, key, query: query, body: body) { (answer) throws(AWSError) in
            _ = try S3Answer.of(answer, expecting: [200])
            guard let tag = answer.header("etag"), !tag.isEmpty else { throw .malformedAnswer() }
            return tag
        }
    }

    /// Makes an object of the parts, in order. With `ifAbsent` PreconditionFailed is thrown where the name is taken; NoSuchUpload
    /// where the upload was completed or aborted meanwhile.
    package func completeUpload(
        bucket: String, key: String, upload: String, tags: [String], ifAbsent: Bool
    ) async throws(AWSError) {
        var writer = XMLWriter()
        writer.element("CompleteMultipartUpload") { xml in
            for (index, tag) in tags.enumerated() {
                xml.element("Part") { part in
                    part.element("PartNumber", String(index + 1))
                    part.element("ETag", tag)
                }
            }
        }
        try await send(
            "POST", bucket, key, query: [("uploadId", upload)],
            headers: [("Content-Type", "application/xml")] + Self.condition(ifAbsent), body: writer.bytes
        ) { (answer) throws(AWSError) in
            // The status is sent before the work is done: a failure comes with 200.
            _ = try S3Answer.xml(answer, root: "CompleteMultipartUploadResult")
        }
    }

    /// Removes an upload and its parts. One that is not there counts as removed.
    package func abortUpload(bucket: String, key: String, upload: String) async throws(AWSError) {
        try await send("DELETE", bucket, key, query: [("uploadId", upload)]) { (answer) throws(AWSError) in
            guard answer.status != 404 else { return }
            _ = try S3Answer.of(answer, expecting: [200, 204])
        }
    }

    /// Uploads under the prefix that were neither completed nor aborted, from the one after `marker` on.
    package func listUploads(
        bucket: String, prefix: String, after marker: S3UploadPage.Marker? = nil
    ) async throws(AWSError) -> S3UploadPage {
        var query = [("uploads", ""), ("encoding-type", "url"), ("prefix", prefix)]
        if let marker { query += [("key-marker", marker.key), ("upload-id-marker", marker.upload)] }
        return try await send("GET", bucket, nil, query: query) { (answer) throws(AWSError) in
            try S3UploadPage(try S3Answer.xml(answer, root: "ListMultipartUploadsResult"))
        }
    }
}
