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
        guard !path.isEmpty, !path.hasSuffix("/") else { throw .invalidInput("The output is not the name of a file.") }
        let (descriptor, temporary) = try Self.begin(path, mode)
        self.path = path
        self.descriptor = descriptor
        self.temporary = temporary
    }

    private static func begin(_ path: String, _ mode: mode_t) throws(EnvelopeError) -> (Int32, String?) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let unnamed = open(folder, O_WRONLY | O_CLOEXEC | unnamedFlag, mode)
        if unnamed >= 0 { return (unnamed, nil) }
        let name = temporaryName(path)
        let named = open(name, O_WRONLY | O_CLOEXEC | O_CREAT | O_EXCL | O_NOFOLLOW, mode)
        guard named >= 0 else { throw ByteChannel.failure("Creating the output", errno) }
        return (named, name)
    }

    /// O_TMPFILE, which Swift does not see: __O_TMPFILE | O_DIRECTORY.
    private static let unnamedFlag: Int32 = 0o20000000 | O_DIRECTORY

    private static func temporaryName(_ path: String) -> String {
        let random = randomBytes(8).reduce(into: "") { $0 += String($1, radix: 16) }
        return "\(path).\(random).partial"
    }

    deinit {
        close(descriptor)
        if let temporary { unlink(temporary) }
    }

    /// Makes the file durable and gives it its name. Unless `replacing`, a file that is there already stays and this throws.
    package consuming func publish(replacing: Bool) throws(EnvelopeError) {
        guard fsync(descriptor) == 0 else { throw ByteChannel.failure("Writing the output to disk", errno) }
        if temporary == nil, !replacing {
            try linkUnnamed(to: path)
            return
        }
        if temporary == nil {
            let name = Self.temporaryName(path)
            try linkUnnamed(to: name)
            temporary = name
        }
        guard let name = temporary else { return }
        if replacing {
            guard rename(name, path) == 0 else { throw ByteChannel.failure("Naming the output", errno) }
            temporary = nil
        } else {
            guard link(name, path) == 0 else { throw Self.namingFailure(errno) }
        }
    }

    private borrowing func linkUnnamed(to name: String) throws(EnvelopeError) {
        guard linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0 else {
            throw Self.namingFailure(errno)
        }
    }

    private static func namingFailure(_ code: Int32) -> EnvelopeError {
        code == EEXIST
            ? .invalidInput("The output exists already.") : ByteChannel.failure("Naming the output", code)
    }
}
