import CLinux
import Glibc

/// A name in a folder. `sortName` has the slash of a folder, so that a walk in its order meets keys in the order
/// of their bytes: everything in `a/` comes after `a-b` and before `a0`.
struct FolderEntry {
    let sortName: [UInt8]
    var isFolder: Bool { sortName.last == NameRules.slash }
    var name: String { String(decoding: sortName, as: UTF8.self) }
}

extension Folder {
    /// The first `count` files and folders, by `sortName`, that come after `cursor` and pass `isIncluded`. Holds at most
    /// twice `count` names whatever the size of the folder. Names that are not UTF-8 can be no keys and are passed over.
    func entries(
        after cursor: [UInt8]?, count: Int, where isIncluded: (FolderEntry) -> Bool
    ) throws -> [FolderEntry] {
        let own = try open(".", flags: O_RDONLY | O_DIRECTORY)
        // closedir closes the descriptor that fdopendir took over, so it gets one of its own.
        let number = fcntl(own.number, F_DUPFD_CLOEXEC, 0)
        guard number >= 0 else { throw ObjectStoreError.system("fcntl", errno) }
        guard let stream = fdopendir(number) else {
            let cause = errno
            _ = close(number)
            throw ObjectStoreError.system("fdopendir", cause)
        }
        defer { closedir(stream) }

        var found: [FolderEntry] = []
        func trim() {
            found.sort { $0.sortName.lexicographicallyPrecedes($1.sortName) }
            found.removeLast(max(0, found.count - count))
        }
        while true {
            errno = 0
            guard let record = readdir(stream) else {
                guard errno == 0 else { throw ObjectStoreError.system("readdir", errno) }
                break
            }
            guard let entry = entry(of: record), isIncluded(entry) else { continue }
            if let cursor, !cursor.lexicographicallyPrecedes(entry.sortName) { continue }
            found.append(entry)
            if found.count >= 2 * count { trim() }
        }
        trim()
        return found
    }

    private func entry(of record: UnsafeMutablePointer<dirent>) -> FolderEntry? {
        // By pointer: a copy of the whole structure would read past the record, which ends after the name.
        let start = UnsafeRawPointer(record) + MemoryLayout<dirent>.offset(of: \.d_name)!
        guard let name = String(validatingCString: start.assumingMemoryBound(to: CChar.self)),
            name != ".", name != ".."
        else { return nil }
        switch Int(record.pointee.d_type) {
        case Int(DT_REG): return FolderEntry(sortName: Array(name.utf8))
        case Int(DT_DIR): return FolderEntry(sortName: Array(name.utf8) + [NameRules.slash])
        case Int(DT_UNKNOWN):
            guard let status = try? status(of: name) else { return nil }
            switch status.st_mode & S_IFMT {
            case S_IFREG: return FolderEntry(sortName: Array(name.utf8))
            case S_IFDIR: return FolderEntry(sortName: Array(name.utf8) + [NameRules.slash])
            default: return nil
            }
        default: return nil
        }
    }
}
