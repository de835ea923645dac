import Glibc

/// Small files of the vault that hold no secret: marks, tombstones, the noted state, wrapped root keys.
enum PlainFile {
    /// Longest that is read.
    static let maximumBytes = 1 << 20

    /// Puts a file in place, whole or not at all, and on disk.
    static func replace(_ path: String, _ bytes: [UInt8]) throws(VaultError) {
        let temporary = temporaryName(for: path)
        try prepare(temporary, bytes)
        guard rename(temporary, path) == 0 else {
            let number = errno
            _ = unlink(temporary)
            throw .system("rename", number)
        }
        try syncDirectory(of: path)
    }

    /// As `replace`, but `alreadyExists` where there is one.
    static func create(_ path: String, _ bytes: [UInt8]) throws(VaultError) {
        let temporary = temporaryName(for: path)
        try prepare(temporary, bytes)
        defer { _ = unlink(temporary) }
        guard link(temporary, path) == 0 else {
            throw errno == EEXIST ? VaultError(.alreadyExists, "The file exists already.") : .system("link", errno)
        }
        try syncDirectory(of: path)
    }

    /// Nil where there is none.
    static func read(_ path: String) throws(VaultError) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .system("open", errno)
        }
        defer { _ = close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16_384)
        while bytes.count <= maximumBytes {
            let got = piece.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .system("read", errno) }
            if got == 0 { return bytes }
            bytes += piece[..<got]
        }
        throw VaultError(.unsafe, "A file of the vault is longer than \(maximumBytes) bytes.")
    }

    /// Whether there is a file of that name; a directory that does not answer is a fault, not an absence.
    static func exists(_ path: String) throws(VaultError) -> Bool {
        if access(path, F_OK) == 0 { return true }
        guard errno == ENOENT || errno == ENOTDIR else { throw .system("access", errno) }
        return false
    }

    /// In the same directory; no secret and no tombstone is ever called so.
    static func temporaryName(for path: String) -> String {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        return "\(directory).new-\(UInt64.random(in: 0 ... .max))"
    }

    /// A file's name is on disk only once its directory is.
    static func syncDirectory(of path: String) throws(VaultError) {
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let handle = open(directory.isEmpty ? "/" : directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard handle >= 0 else { throw .system("open", errno) }
        defer { _ = close(handle) }
        guard fsync(handle) == 0 else { throw .system("fsync", errno) }
    }

    /// The number of the error, nil where all bytes were written.
    static func write(_ bytes: UnsafeRawBufferPointer, to file: Int32) -> Int32? {
        var offset = 0
        while offset < bytes.count {
            let wrote = Glibc.write(file, bytes.baseAddress! + offset, bytes.count - offset)
            if wrote < 0, errno == EINTR { continue }
            guard wrote > 0 else { return errno }
            offset += wrote
        }
        return nil
    }

    private static func prepare(_ path: String, _ bytes: [UInt8]) throws(VaultError) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode_t(0o600))
        guard file >= 0 else { throw .system("open", errno) }
        defer { _ = close(file) }
        let failure = bytes.withUnsafeBytes { write($0, to: file) }
        if let failure {
            _ = unlink(path)
            throw .system("write", failure)
        }
        guard fsync(file) == 0 else {
            let number = errno
            _ = unlink(path)
            throw .system("fsync", number)
        }
    }
}
