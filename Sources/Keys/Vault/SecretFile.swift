import CLinux
import Glibc
import Secrets

/// Files that hold one secret each: mode 0600, owned by this process's user, never behind a symbolic link, on disk before
/// their maker goes on. All of it blocks: callers go through `VaultQueue`.
enum SecretFile {
    /// Writes a new file; `alreadyExists` where there is one.
    static func create(_ path: String, _ secret: borrowing SecretBytes) throws(VaultError) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode_t(0o600))
        guard file >= 0 else {
            throw errno == EEXIST ? VaultError(.alreadyExists, "The secret exists already.") : .system("open", errno)
        }
        defer { _ = close(file) }
        // Whatever the umask was when the directory came about.
        guard fchmod(file, 0o600) == 0 else { throw .system("fchmod", errno) }
        try write(secret, to: file)
        guard fsync(file) == 0 else { throw .system("fsync", errno) }
        try syncDirectory(of: path)
    }

    /// Reads a file of exactly `count` bytes; `absent` where there is none.
    static func read(_ path: String, count: Int) throws(VaultError) -> SecretBytes {
        let file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else {
            throw errno == ENOENT ? VaultError(.absent, "The secret does not exist.") : .system("open", errno)
        }
        defer { _ = close(file) }
        try check(file, count: count)
        var failure: VaultError?
        let secret = SecretBytes(count: count) { target in
            var offset = 0
            while offset < target.count {
                let got = Glibc.read(file, target.baseAddress! + offset, target.count - offset)
                if got < 0, errno == EINTR { continue }
                guard got > 0 else {
                    failure = .system("read", errno)
                    return
                }
                offset += got
            }
        }
        if let failure { throw failure }
        return secret
    }

    /// Overwrites and removes a file; one that is gone already counts as removed.
    ///
    /// The overwriting helps on media that write in place. Where they do not, the promise rests on the file system
    /// and on backups that leave the vault out.
    static func destroy(_ path: String) throws(VaultError) {
        let file = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC)
        if file >= 0 {
            defer { _ = close(file) }
            var status = stat()
            guard fstat(file, &status) == 0 else { throw .system("fstat", errno) }
            let noise = SecretBytes.random(count: min(4096, max(0, Int(status.st_size))))
            try write(noise, to: file)
            guard fsync(file) == 0 else { throw .system("fsync", errno) }
        } else if errno != ENOENT {
            throw .system("open", errno)
        }
        guard unlink(path) == 0 || errno == ENOENT else { throw .system("unlink", errno) }
        try syncDirectory(of: path)
    }

    private static func check(_ file: Int32, count: Int) throws(VaultError) {
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .system("fstat", errno) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 == 0, status.st_uid == geteuid() else {
            throw VaultError(.unsafe, "A secret's file must be a regular file of this user with mode 0600.")
        }
        guard status.st_size == count else {
            throw VaultError(.unsafe, "A secret's file must have \(count) bytes.")
        }
    }

    private static func write(_ secret: borrowing SecretBytes, to file: Int32) throws(VaultError) {
        let failure: Int32? = secret.withUnsafeBytes { bytes in
            var offset = 0
            while offset < bytes.count {
                let wrote = Glibc.write(file, bytes.baseAddress! + offset, bytes.count - offset)
                if wrote < 0, errno == EINTR { continue }
                guard wrote > 0 else { return errno }
                offset += wrote
            }
            return nil
        }
        if let failure { throw .system("write", failure) }
    }

    /// A file's name is on disk only once its directory is.
    private static func syncDirectory(of path: String) throws(VaultError) {
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let handle = open(directory.isEmpty ? "/" : directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard handle >= 0 else { throw .system("open", errno) }
        defer { _ = close(handle) }
        guard fsync(handle) == 0 else { throw .system("fsync", errno) }
    }
}
