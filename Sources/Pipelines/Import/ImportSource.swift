import AWSProtocol
import Crypto
import Jobs
import ObjectStore

/// The customer's files under the signed path: one object, or all under a prefix.
struct ImportSource: Sendable {
    static let filesMax = 10_000

    let url: S3URL
    let store: any ObjectStore

    init(_ location: BucketLocation, _ environment: PipelineEnvironment, _ job: JobRecord) async throws {
        do {
            url = try S3URL(location.path)
            store = try await environment.buckets.store(
                url.bucket, for: .source, role: location.roleARN, environment, job)
        } catch let error as ObjectStoreError where !error.isRetriable {
            throw JobError.final("DataSource: \(location.path) can't be read: \(error.message)", cause: error)
        }
    }

    /// An object of that very name, else what lies under it as a folder. Throws where there is nothing.
    ///
    /// - Parameter isFolder: what is known of the path from before.
    func files(isFolder: Bool = false) async throws -> (files: [ObjectInfo], isFolder: Bool) {
        if !isFolder, !url.prefix.text.isEmpty, !url.prefix.text.hasSuffix("/"), let key = try? url.key(),
            let info = try await head(key)
        {
            return ([info], false)
        }
        let folder = url.prefix.text.isEmpty || url.prefix.text.hasSuffix("/") ? url.prefix.text : url.prefix.text + "/"
        let prefix = try ObjectPrefix(folder)
        var found: [ObjectInfo] = []
        while true {
            let page = try await store.list(prefix: prefix, after: found.last?.key, limit: ObjectStoreBounds.listKeys)
            found += page
            guard found.count <= Self.filesMax else {
                throw JobError.final("DataSource: \(url) holds more than \(Self.filesMax) files.")
            }
            guard page.count == ObjectStoreBounds.listKeys else { break }
        }
        guard !found.isEmpty else { throw JobError.final("DataSource: there is no object at \(url).") }
        return (found, true)
    }

    /// A role that may read a folder alone may not ask about an object of the folder's name: then there is none for it.
    private func head(_ key: ObjectKey) async throws -> ObjectInfo? {
        do {
            return try await store.head(key)
        } catch let error as ObjectStoreError where error.code == .denied {
            do {
                if try await !store.list(prefix: ObjectPrefix(key.name + "/"), after: nil, limit: 1).isEmpty { return nil }
            } catch let listing as ObjectStoreError where listing.code == .denied {}
            throw error
        }
    }

    /// Throws for the first of them that the role may not read: before anything of the others was.
    func requireReadable(_ files: [ObjectInfo]) async throws {
        try await (store as? GuardedBucket)?.requireReadable(files.map(\.key))
    }

    /// The file of a range, as it was when the plan was made.
    func file(of range: ImportRange) async throws -> ObjectInfo {
        guard
            let info = try await files(isFolder: range.isInFolder ?? false).files.first(where: { Self.hash($0.key) == range.file }
            )
        else {
            throw JobError.final("DataSource: a file under \(url) was removed while it was imported.")
        }
        guard info.length == range.fileBytes, info.version == range.version else {
            throw JobError.final("DataSource: \(info.key) changed while it was imported.")
        }
        return info
    }

    static func hash(_ key: ObjectKey) -> String { Hex.encode(SHA256.hash(data: Array(key.name.utf8))) }
}
