import CLinux
import Glibc

/// Objects as files of a folder: the key is the path. For the artifact store and, through `DirectoryBuckets`, for
/// customers' buckets on this machine.
///
/// A file is written under `.forecastle-uploads/` in the same folder, synchronised, and linked to its name, which
/// fails where the name is taken; nothing is ever renamed over. Symbolic links, devices and names that can be no keys
/// are not listed and not opened.
package final class DirectoryObjectStore: ObjectStore {
    package struct Options: Sendable {
        var fileMode: mode_t
        var folderMode: mode_t
        var removesEmptyFolders: Bool

        /// Forecastle's own store: for its user alone, and folders go with their last object.
        package static let artifacts = Options(fileMode: 0o600, folderMode: 0o700, removesEmptyFolders: true)
        /// A customer's bucket: for people to look into, and their folders stay.
        package static let bucket = Options(fileMode: 0o644, folderMode: 0o755, removesEmptyFolders: false)
    }

    static let uploads = NameRules.ownFolder

    let root: Folder
    let options: Options
    let pool: BlockingPool

    /// The folder must exist. Throws `.notFound` or `.denied`.
    package convenience init(root: String, options: Options = .artifacts, pool: BlockingPool = .shared) throws {
        self.init(folder: try Folder(path: root), options: options, pool: pool)
    }

    init(folder: Folder, options: Options, pool: BlockingPool) {
        self.root = folder
        self.options = options
        self.pool = pool
    }

    package func writer(_ key: ObjectKey) async throws -> any ObjectWriter {
        try NameRules.refuseOwn(key)
        return try await pool.run { [self] in
            let folder = try root.subfolder(Self.uploads, creatingWith: 0o700)
            let file = try TemporaryFile(in: folder, mode: options.fileMode)
            return DirectoryObjectWriter(key: key, file: file, store: self)
        }
    }

    package func reader(_ key: ObjectKey, from offset: Int) async throws -> any ObjectReader {
        precondition(offset >= 0, "an offset is not negative")
        try NameRules.refuseOwn(key)
        return try await pool.run { [self] in
            let (file, status) = try root.openFile(key.name)
            return DirectoryObjectReader(
                file: file, info: ObjectInfo(key: key, status: status), offset: offset, pool: pool)
        }
    }

    package func get(_ key: ObjectKey, range: Range<Int>?, ifVersion: String?) async throws -> [UInt8] {
        precondition((range?.lowerBound ?? 0) >= 0, "an offset is not negative")
        try NameRules.refuseOwn(key)
        return try await pool.run { [self] in
            let (file, status) = try root.openFile(key.name)
            guard ifVersion == nil || ifVersion == ObjectInfo(key: key, status: status).version else {
                throw ObjectStoreError(.changed, "the object changed while it was read")
            }
            let whole = 0..<Int(status.st_size)
            let part = range?.clamped(to: whole) ?? whole
            guard part.count <= ObjectStoreBounds.getBytes else {
                throw ObjectStoreError(.tooLarge, "more than \(ObjectStoreBounds.getBytes) bytes in one piece")
            }
            return try file.read(count: part.count, at: part.lowerBound)
        }
    }

    package func head(_ key: ObjectKey) async throws -> ObjectInfo? {
        try NameRules.refuseOwn(key)
        return try await pool.run { [self] in
            do {
                return ObjectInfo(key: key, status: try root.openFile(key.name).status)
            } catch let error as ObjectStoreError where error.code == .notFound {
                return nil
            }
        }
    }

    package func list(prefix: ObjectPrefix, after: ObjectKey?, limit: Int) async throws -> [ObjectInfo] {
        precondition((1...ObjectStoreBounds.listKeys).contains(limit), "a listing has 1 to 1000 keys")
        return try await pool.run { [self] in
            var listing = DirectoryListing(prefix: prefix, after: after, limit: limit)
            do {
                try listing.visit(root.subfolder(prefix.folder), path: prefix.folder)
            } catch let error as ObjectStoreError where error.code == .notFound {
                return []
            }
            return listing.found
        }
    }

    package func delete(_ key: ObjectKey) async throws {
        try NameRules.refuseOwn(key)
        try await pool.run { [self] in try remove(key) }
    }

    /// Removes what writers left behind whose processes died; returns how many files.
    package func collectAbandonedUploads() async throws -> Int {
        try await pool.run { [root] in
            guard let folder = try? root.subfolder(Self.uploads) else { return 0 }
            return try TemporaryFile.collect(in: folder)
        }
    }
}
