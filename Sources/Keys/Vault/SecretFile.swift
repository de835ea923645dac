import CLinux
import Glibc
import Secrets

/// Files that hold one secret each, on disk before their maker goes on. All of it blocks: callers go through `VaultQueue`.
enum SecretFile {
    /// Whose a file must be for its content to count as a secret.
    enum Rule: Sendable {
        /// Mode 0600, owned by this process's user, never behind a symbolic link.
        case own
        /// As containers mount secrets: owned by root or this user, perhaps behind links, perhaps readable by a group, but
        /// never writable by one and nothing to everybody else.
        case mounted
    }

    /// Writes a new file; `alreadyExists` where there is one. Nobody sees half of it.
    static func create(_ path: String, _ secret: borrowing SecretBytes) throws(VaultError) {
        let temporary = PlainFile.temporaryName(for: path)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode_t(0o600))
        guard file >= 0 else { throw .system("open", errno) }
        defer {
            _ = close(file)
            _ = unlink(temporary)
        }
        // Whatever the umask was when the directory came about.
        guard fchmod(file, 0o600) == 0 else { throw .system("fchmod", errno) }
        try write(secret, to: file)
        guard fsync(file) == 0 else { throw .system("fsync", errno) }
        // Unlike a rename, this leaves a file alone that is there already.
        guard link(temporary, path) == 0 else {
            throw errno == EEXIST ? VaultError(.alreadyExists, "The secret exists already.") : .system("link", errno)
        }
        try PlainFile.syncDirectory(of: path)
    }

    /// Reads a file of exactly `count` bytes; `absent` where there is none.
    static func read(_ path: String, count: Int, rule: Rule = .own) throws(VaultError) -> SecretBytes {
        let file = open(path, O_RDONLY | O_CLOEXEC | (rule == .own ? O_NOFOLLOW : 0))
        guard file >= 0 else { throw errno == ENOENT ? VaultError.gone : .system("open", errno) }
        defer { _ = close(file) }
        try check(file, count: count, rule: rule)
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
        try PlainFile.syncDirectory(of: path)
    }

    private static func check(_ file: Int32, count: Int, rule: Rule) throws(VaultError) {
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .system("fstat", errno) }
        let isOwners = status.st_uid == geteuid()
        switch rule {
        case .own:
            guard status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 == 0, isOwners else {
                throw VaultError(.unsafe, "A secret's file must be a regular file of this user with mode 0600.")
            }
        case .mounted:
            guard status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o037 == 0, isOwners || status.st_uid == 0 else {
                throw VaultError(
                    .unsafe,
                    "A mounted secret must be a regular file of root or this user, with mode 0440 at most: others must have no rights."
                )
            }
        }
        guard status.st_size == count else {
            throw VaultError(.unsafe, "A secret's file must have \(count) bytes.")
        }
    }

    private static func write(_ secret: borrowing SecretBytes, to file: Int32) throws(VaultError) {
        let failure = secret.withUnsafeBytes { PlainFile.write($0, to: file) }
        if let failure { throw .system("write", failure) }
    }
}
