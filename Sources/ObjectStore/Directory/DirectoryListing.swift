import CLinux
import Glibc

/// A walk through folders that yields objects in the order of their keys' bytes and stops at `limit`.
///
/// Memory: at each depth at most twice `limit` names, however many files there are; a folder with more is read again
/// from where the walk had come.
struct DirectoryListing {
    let prefix: [UInt8]
    let after: [UInt8]?
    let limit: Int
    private(set) var found: [ObjectInfo] = []

    init(prefix: ObjectPrefix, after: ObjectKey?, limit: Int) {
        self.prefix = Array(prefix.text.utf8)
        self.after = after.map { Array($0.name.utf8) }
        self.limit = limit
    }

    /// Visits the folder at `path` (empty, or ending in a slash).
    mutating func visit(_ folder: Folder, path: String) throws {
        var cursor: [UInt8]?
        while found.count < limit {
            let wanted = limit - found.count
            let batch = try folder.entries(after: cursor, count: wanted) { isRelevant(path, $0) }
            for entry in batch where found.count < limit {
                cursor = entry.sortName
                if entry.isFolder {
                    // Gone meanwhile, or turned into something else: as if it had been so before the walk.
                    guard let next = try? folder.subfolder(entry.name) else { continue }
                    try visit(next, path: path + entry.name)
                } else if let status = try folder.status(of: entry.name), status.st_mode & S_IFMT == S_IFREG {
                    found.append(ObjectInfo(key: try ObjectKey(path + entry.name), status: status))
                }
            }
            if batch.count < wanted { return }
        }
    }

    private func isRelevant(_ path: String, _ entry: FolderEntry) -> Bool {
        let name = entry.name
        let full = path + name
        if full.utf8.elementsEqual(DirectoryObjectStore.uploads.utf8) { return false }
        let bytes = Array(full.utf8)
        if entry.isFolder {
            guard (try? ObjectPrefix(full)) != nil else { return false }
            guard bytes.starts(with: prefix) || prefix.starts(with: bytes) else { return false }
            guard let after else { return true }
            return after.lexicographicallyPrecedes(bytes) || after.starts(with: bytes)
        }
        guard (try? ObjectKey(full)) != nil, bytes.starts(with: prefix) else { return false }
        return after.map { $0.lexicographicallyPrecedes(bytes) } ?? true
    }
}

extension ObjectInfo {
    init(key: ObjectKey, status: stat) {
        let time = status.st_mtim
        self.init(
            key: key, length: Int(status.st_size),
            version: "\(status.st_dev)-\(status.st_ino)-\(status.st_size)-\(time.tv_sec).\(time.tv_nsec)")
    }
}
