package import AWSClients
import AWSProtocol

/// Objects of one bucket of an S3, or of a folder in it: Forecastle's own store, or a customer's bucket.
///
/// Names are write-once because every write is conditional on the name being free. Each write carries a random text of its own as
/// metadata, by which a writer whose answer was lost knows its object from another's.
package struct S3ObjectStore: ObjectStore {
    /// How a taken name is found out.
    package enum WriteOnce: String, Sendable, CaseIterable {
        /// The server refuses, in the same step as it would write.
        case conditional
        /// The writer looks before it writes: for servers that know no conditions. Two writers at once are not told apart.
        case unchecked
    }

    /// Metadata with the random text of the write.
    static let writeMark = "forecastle-write"

    let client: S3Client
    package let bucket: BucketName
    /// Empty, or a folder with its slash, before every key.
    let folder: ObjectPrefix
    package let writeOnce: WriteOnce

    package init(
        client: S3Client, bucket: BucketName, folder: ObjectPrefix = .all, writeOnce: WriteOnce = .conditional
    ) throws(ObjectStoreError) {
        guard folder.text.isEmpty || folder.text.utf8.last == NameRules.slash else {
            throw ObjectStoreError(.invalidName, "a folder's prefix ends with a slash")
        }
        self.client = client
        self.bucket = bucket
        self.folder = folder
        self.writeOnce = writeOnce
    }

    package func writer(_ key: ObjectKey) async throws -> any ObjectWriter {
        try NameRules.refuseOwn(key)
        return S3ObjectWriter(key: key, name: try name(of: key), store: self)
    }

    package func reader(_ key: ObjectKey, from offset: Int) async throws -> any ObjectReader {
        precondition(offset >= 0, "an offset is not negative")
        guard let info = try await head(key) else { throw notFound }
        return S3ObjectReader(info: info, name: try name(of: key), offset: offset, store: self)
    }

    package func get(_ key: ObjectKey, range: Range<Int>?, ifVersion: String?) async throws -> [UInt8] {
        precondition((range?.lowerBound ?? 0) >= 0, "an offset is not negative")
        try NameRules.refuseOwn(key)
        let name = try name(of: key)
        let start = range?.lowerBound ?? 0
        var end = range?.upperBound ?? Int.max
        if start == end {
            guard let info = try await head(key) else { throw notFound }
            guard ifVersion == nil || ifVersion == info.version else { throw changed }
        }
        var bytes: [UInt8] = []
        var tag = ifVersion
        while start + bytes.count < end {
            let from = start + bytes.count
            let piece = try await piece(of: name, from..<min(end, from + S3Client.pieceBytes), ifTag: tag)
            guard let length = piece.length else { break }
            end = min(end, length)
            guard end - start <= ObjectStoreBounds.getBytes else {
                throw ObjectStoreError(.tooLarge, "more than \(ObjectStoreBounds.getBytes) bytes in one piece")
            }
            bytes += piece.bytes
            tag = piece.tag
            if piece.bytes.isEmpty { break }
        }
        return bytes
    }

    package func head(_ key: ObjectKey) async throws -> ObjectInfo? {
        try NameRules.refuseOwn(key)
        let name = try name(of: key)
        return try await ask(.head) { () async throws(AWSError) in
            try await client.headObject(bucket: bucket.name, key: name)
        }.map { ObjectInfo(key: key, length: $0.length, version: $0.tag) }
    }

    package func list(prefix: ObjectPrefix, after: ObjectKey?, limit: Int) async throws -> [ObjectInfo] {
        precondition((1...ObjectStoreBounds.listKeys).contains(limit), "a listing has 1 to 1000 keys")
        let wanted = folder.text + prefix.text
        var mark = after.map { folder.text + $0.name }
        var found: [ObjectInfo] = []
        while found.count < limit {
            let page = try await ask(.list) { [mark] () async throws(AWSError) in
                try await client.listObjects(bucket: bucket.name, prefix: wanted, startAfter: mark, limit: limit)
            }
            for entry in page.entries where found.count < limit {
                // A server that does not go forward would be asked for ever.
                guard entry.key.utf8.starts(with: wanted.utf8),
                    mark.map({ $0.utf8.lexicographicallyPrecedes(entry.key.utf8) }) ?? true
                else { throw ObjectStoreError(.inputOutput, "bucket \(bucket): the listing is not in order") }
                mark = entry.key
                // Names that can be no keys are passed over: others put what they like into a bucket.
                let text = String(decoding: entry.key.utf8.dropFirst(folder.text.utf8.count), as: UTF8.self)
                guard let key = try? ObjectKey(text), (try? NameRules.refuseOwn(key)) != nil else { continue }
                found.append(ObjectInfo(key: key, length: entry.length, version: entry.tag))
            }
            if !page.isTruncated || page.entries.isEmpty { break }
        }
        return found
    }

    package func delete(_ key: ObjectKey) async throws {
        try NameRules.refuseOwn(key)
        try await remove(try name(of: key))
    }

    // MARK: What the parts of the store share

    func remove(_ name: String) async throws {
        do {
            try await client.deleteObject(bucket: bucket.name, key: name)
        } catch {
            guard error.code != "NoSuchKey" else { return }
            throw ObjectStoreError.s3(.delete, bucket, error)
        }
    }

    func piece(of name: String, _ range: Range<Int>, ifTag: String?) async throws -> S3ObjectPiece {
        try await ask(.get) { () async throws(AWSError) in
            try await client.getObject(bucket: bucket.name, key: name, range, ifTag: ifTag)
        }
    }

    /// The name in the bucket.
    func name(of key: ObjectKey) throws(ObjectStoreError) -> String {
        let name = folder.text + key.name
        guard name.utf8.count <= NameRules.nameBytes else {
            throw ObjectStoreError(.invalidName, "object key and folder are longer than \(NameRules.nameBytes) bytes")
        }
        return name
    }

    func ask<R: Sendable>(
        _ call: S3Call, _ body: () async throws(AWSError) -> R
    ) async throws(ObjectStoreError) -> R {
        do {
            return try await body()
        } catch {
            throw .s3(call, bucket, error)
        }
    }

    private var changed: ObjectStoreError { .s3(.get, bucket, AWSError(code: "PreconditionFailed", message: "", status: 412)) }
    private var notFound: ObjectStoreError { .s3(.get, bucket, AWSError(code: "NoSuchKey", message: "", status: 404)) }
}
