import Glibc

/// An output file that appears under its name when it is complete, or never. Where the file system allows, it has no
/// name at all until then, so that not even a killed process leaves one behind.
package struct StagedFile: ~Copyable {
    package let descriptor: Int32
    private let path: String
    /// The name it has meanwhile, where it must have one.
    private var temporary: String?

    /// Begins a file beside `path`. `mode` (permission bits) is narrowed by the process's umask.
    package init(path: String, mode: UInt32) throws(EnvelopeError) {
        try self.init(path: path, mode: mode, unnamed: true)
    }

    /// `unnamed: false` is how it is where a file system has no files without names.
    package init(path: String, mode: UInt32, unnamed: Bool) throws(EnvelopeError) {
        guard !path.isEmpty, !path.hasSuffix("/") else { throw .invalidInput("The output is not the name of a file.") }
        let (descriptor, temporary) = try Self.begin(path, mode, unnamed: unnamed)
        self.path = path
        self.descriptor = descriptor
        self.temporary = temporary
    }

    private static func begin(_ path: String, _ mode: mode_t, unnamed: Bool) throws(EnvelopeError) -> (Int32, String?) {
        if unnamed {
            let descriptor = open(folder(of: path), O_WRONLY | O_CLOEXEC | unnamedFlag, mode)
            // It is given its name by way of /proc, which not every container has.
            if descriptor >= 0 {
                if access(procPath(descriptor), F_OK) == 0 { return (descriptor, nil) }
                close(descriptor)
            }
        }
        let name = temporaryName(path)
        let named = open(name, O_WRONLY | O_CLOEXEC | O_CREAT | O_EXCL | O_NOFOLLOW, mode)
        guard named >= 0 else { throw ByteChannel.failure("Creating the output", errno) }
        return (named, name)
    }

    /// O_TMPFILE, which Swift does not see: __O_TMPFILE | O_DIRECTORY.
    static let unnamedFlag: Int32 = 0o20000000 | O_DIRECTORY

    private static func procPath(_ descriptor: Int32) -> String { "/proc/self/fd/\(descriptor)" }

    private static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }

    /// Hidden, beside `path`, and nobody else's: the name is cut where it would be too long with the rest.
    static func temporaryName(_ path: String) -> String {
        let random = randomBytes(8).reduce(into: "") { $0 += String($1, radix: 16) }
        let name = path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...]
        let shown = String(decoding: name.utf8.prefix(maximumShownBytes), as: UTF8.self)
        return path.dropLast(name.count) + ".\(shown).\(random).partial"
    }

    /// A name has at most 255 bytes.
    private static let maximumShownBytes = 200

    deinit {
        close(descriptor)
        if let temporary { unlink(temporary) }
    }

    /// Makes the file durable and gives it its name. Unless `replacing`, a file that is there already stays and this throws.
    package consuming func publish(replacing: Bool) throws(EnvelopeError) {
        guard fsync(descriptor) == 0 else { throw ByteChannel.failure("Writing the output to disk", errno) }
        if temporary == nil, replacing {
            // Only a name can take another's place.
            let name = Self.temporaryName(path)
            try linkUnnamed(to: name)
            temporary = name
        }
        if let name = temporary {
            if replacing {
                guard rename(name, path) == 0 else { throw ByteChannel.failure("Naming the output", errno) }
                temporary = nil
            } else {
                guard link(name, path) == 0 else { throw Self.namingFailure(errno) }
            }
        } else {
            try linkUnnamed(to: path)
        }
        try syncFolder()
    }

    private borrowing func linkUnnamed(to name: String) throws(EnvelopeError) {
        guard linkat(AT_FDCWD, Self.procPath(descriptor), AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0 else {
            throw Self.namingFailure(errno)
        }
    }

    private static func namingFailure(_ code: Int32) -> EnvelopeError {
        code == EEXIST
            ? .invalidInput("The output exists already.") : ByteChannel.failure("Naming the output", code)
    }

    /// Makes the name durable. Folders that may not be read, and file systems that know no such thing, are left alone.
    private borrowing func syncFolder() throws(EnvelopeError) {
        let folder = open(Self.folder(of: path), O_RDONLY | O_CLOEXEC | O_DIRECTORY)
        guard folder >= 0 else { return }
        defer { close(folder) }
        if fsync(folder) != 0, errno == EIO { throw ByteChannel.failure("Writing the output's name to disk", errno) }
    }
}
