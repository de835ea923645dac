/// Objects by name. **Names are write-once**: there is no way to replace an object, so a late attempt can
/// overwrite nothing. An object is seen whole or not at all, and is durable before it is seen.
///
/// Every call may throw `ObjectStoreError`. Implementations pass `ObjectStoreConformance` of the tests.
package protocol ObjectStore: Sendable {
    /// Writes an object from its beginning to its end; nothing is seen before `publish()`.
    func writer(_ key: ObjectKey) async throws -> any ObjectWriter

    /// Reads an object in order from `offset`; throws `.notFound`. An offset past the end reads nothing.
    func reader(_ key: ObjectKey, from offset: Int) async throws -> any ObjectReader

    /// The bytes of `range` (nil: all of them), fewer where the object ends first; at most
    /// `ObjectStoreBounds.getBytes`, else `.tooLarge`. Throws `.changed` where the object is not, or no longer, of `ifVersion`.
    func get(_ key: ObjectKey, range: Range<Int>?, ifVersion: String?) async throws -> [UInt8]

    /// What there is under this name; nil where there is nothing.
    func head(_ key: ObjectKey) async throws -> ObjectInfo?

    /// The first `limit` (at most `ObjectStoreBounds.listKeys`) objects under the prefix whose keys come after
    /// `after`, in the order of the keys' bytes. Fewer than `limit` means that there are no more.
    func list(prefix: ObjectPrefix, after: ObjectKey?, limit: Int) async throws -> [ObjectInfo]

    /// Removes an object. One that is not there counts as removed.
    func delete(_ key: ObjectKey) async throws

    /// Removes what writers left behind that will not end any more; returns how many uploads.
    func collectAbandonedUploads() async throws -> Int
}

/// Use from one task at a time.
package protocol ObjectWriter: Sendable {
    func append(_ bytes: [UInt8]) async throws

    /// Makes the object durable, then visible. Throws `.alreadyExists` where the name was taken, at whatever time.
    func publish() async throws -> PublishedObject

    /// Gives up: nothing of it is left, or what is left can't be seen and is collected. Harmless after the end; dropping the
    /// writer does the same.
    func abort() async
}

/// Use from one task at a time. Dropping it closes it.
package protocol ObjectReader: Sendable {
    /// As of the moment of opening.
    var info: ObjectInfo { get }

    /// The next bytes: at least one, at most `count` (itself clamped to `ObjectStoreBounds.readBytes`); empty at
    /// the end.
    func read(atMost count: Int) async throws -> [UInt8]
}

package enum ObjectStoreBounds {
    /// Longest answer of `get`.
    package static let getBytes = 128 << 20
    /// Longest answer of one `read`.
    package static let readBytes = 8 << 20
    /// Longest answer of `list`.
    package static let listKeys = 1000
}

extension ObjectStore {
    package func reader(_ key: ObjectKey) async throws -> any ObjectReader { try await reader(key, from: 0) }

    package func get(_ key: ObjectKey) async throws -> [UInt8] { try await get(key, range: nil) }

    package func get(_ key: ObjectKey, range: Range<Int>?) async throws -> [UInt8] {
        try await get(key, range: range, ifVersion: nil)
    }

    package func list(prefix: ObjectPrefix) async throws -> [ObjectInfo] {
        try await list(prefix: prefix, after: nil, limit: ObjectStoreBounds.listKeys)
    }

    /// Writes an object that is in memory. Throws `.alreadyExists` where the name is taken.
    @discardableResult
    package func put(_ key: ObjectKey, _ bytes: [UInt8]) async throws -> PublishedObject {
        let writer = try await writer(key)
        do {
            try await writer.append(bytes)
            return try await writer.publish()
        } catch {
            await writer.abort()
            throw error
        }
    }
}
