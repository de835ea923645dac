import AWSClients
import AWSProtocol
package import FoundationEssentials

/// What is looked at before a store is used.
extension S3ObjectStore {
    /// Whether the bucket is there and answers. Returns how far the store's clock is ahead of ours, in seconds, where it tells.
    package func checkReachable(now: @Sendable () -> Date = { Date() }) async throws -> Double? {
        try await client.endpoint.refuseLinkLocal()
        let theirs = try await ask(.list) { () async throws(AWSError) in try await client.headBucket(bucket.name) }
        return theirs.map { $0.timeIntervalSince(now()) }
    }

    /// Throws `.refused` where the server lets a name be written twice, in one request or as an upload: then nothing would keep a late
    /// attempt from overwriting. Writes and removes objects of its own.
    package func checkWriteOnce() async throws {
        guard writeOnce == .conditional else { return }
        var random = SystemRandomNumberGenerator()
        let name =
            folder.text + NameRules.ownFolder + "probe-" + String(UInt64.random(in: .min ... .max, using: &random), radix: 16)
        do {
            try await ask(.put) { () async throws(AWSError) in
                try await client.putObject(bucket: bucket.name, key: name, [1], ifAbsent: true)
            }
            try await refusesTwice { () async throws(AWSError) in
                try await client.putObject(bucket: bucket.name, key: name, [2], ifAbsent: true)
            }
            try await refusesUploadTwice(name)
        } catch {
            try? await remove(name)
            if let error = error as? ObjectStoreError, error.code == .refused { throw Self.noWriteOnce(bucket, error) }
            throw error
        }
        try await remove(name)
    }

    private func refusesUploadTwice(_ name: String) async throws {
        let id = try await ask(.put) { () async throws(AWSError) in
            try await client.createUpload(bucket: bucket.name, key: name)
        }
        do {
            let tag = try await ask(.put) { () async throws(AWSError) in
                try await client.uploadPart(bucket: bucket.name, key: name, upload: id, number: 1, [3])
            }
            try await refusesTwice { () async throws(AWSError) in
                try await client.completeUpload(bucket: bucket.name, key: name, upload: id, tags: [tag], ifAbsent: true)
            }
        } catch {
            try? await client.abortUpload(bucket: bucket.name, key: name, upload: id)
            throw error
        }
        try? await client.abortUpload(bucket: bucket.name, key: name, upload: id)
    }

    private func refusesTwice(_ write: () async throws(AWSError) -> Void) async throws {
        do {
            try await write()
        } catch {
            guard error.code != "PreconditionFailed" else { return }
            throw ObjectStoreError.s3(.put, bucket, error)
        }
        throw ObjectStoreError(.refused, "it ignores If-None-Match")
    }

    private static func noWriteOnce(_ bucket: BucketName, _ error: ObjectStoreError) -> ObjectStoreError {
        ObjectStoreError(
            .refused,
            "bucket \(bucket): the store does not keep names from being written twice (\(error.message)); artifacts need a store "
                + "that does, or the setting write_once: unchecked", cause: error.cause)
    }
}
