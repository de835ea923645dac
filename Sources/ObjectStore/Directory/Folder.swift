import CLinux
import Glibc

/// A directory held by descriptor. Everything is opened below it with openat2 (RESOLVE_BENEATH,
/// RESOLVE_NO_SYMLINKS): no name, and no symbolic link put there meanwhile, leads out of it.
struct Folder: Sendable {
    let descriptor: FileDescriptor

    /// Opens the folder that the operator configured; its own path may go over symbolic links.
    init(path: String) throws {
        let number = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw ObjectStoreError.system("open", errno) }
        descriptor = FileDescriptor(owning: number)
    }

    private init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }

    func open(_ path: String, flags: Int32, mode: UInt32 = 0) throws -> FileDescriptor {
        var number = clinux_openat_beneath(descriptor.number, path, flags, mode)
        // The kernel answers EAGAIN when something was renamed while it resolved the path.
        for _ in 0..<Self.attempts where number < 0 && (errno == EAGAIN || errno == EINTR) {
            number = clinux_openat_beneath(descriptor.number, path, flags, mode)
        }
        guard number >= 0 else { throw ObjectStoreError.system("openat2", errno) }
        return FileDescriptor(owning: number)
    }

    /// Opens a regular file for reading, and nothing else: never waits for the writer of a FIFO. A folder is no object, so
    /// it is `.notFound`, as it would be in a bucket that knows no folders.
    func openFile(_ path: String) throws -> (file: FileDescriptor, status: stat) {
        let file = try open(path, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY)
        let status = try file.status()
        switch status.st_mode & S_IFMT {
        case S_IFREG: return (file, status)
        case S_IFDIR: throw ObjectStoreError(.notFound, "there is no such object")
        default: throw ObjectStoreError(.refused, "the name is not that of a file")
        }
    }

    /// The folder at `path` (with or without a last slash; empty: this one), opened anew.
    func subfolder(_ path: some StringProtocol) throws -> Folder {
        Folder(try open(path.isEmpty ? "." : String(path), flags: O_RDONLY | O_DIRECTORY))
    }

    /// The same, made where it is missing.
    func subfolder(_ path: some StringProtocol, creatingWith mode: mode_t) throws -> Folder {
        if let existing = try? subfolder(path) { return existing }
        var folder = self
        for segment in path.split(separator: "/") {
            let name = String(segment)
            guard mkdirat(folder.descriptor.number, name, mode) == 0 || errno == EEXIST else {
                throw ObjectStoreError.system("mkdirat", errno)
            }
            folder = try folder.subfolder(name)
        }
        return folder
    }

    /// What the name is, without following a link; nil where there is nothing.
    func status(of name: String) throws -> stat? {
        var status = stat()
        guard fstatat(descriptor.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            if errno == ENOENT { return nil }
            throw ObjectStoreError.system("fstatat", errno)
        }
        return status
    }

    static let attempts = 16
}
