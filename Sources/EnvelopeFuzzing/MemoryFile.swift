import Envelope
import Glibc

/// A file without a name, in memory where the system has such a folder, to drive the streams with.
struct MemoryFile: ~Copyable {
    enum Access { case positional, sequential }

    private let descriptor: Int32

    /// O_TMPFILE, which Swift does not see: __O_TMPFILE | O_DIRECTORY.
    private static let unnamed: Int32 = 0o20000000 | O_DIRECTORY

    init(_ bytes: [UInt8] = []) throws {
        var made: Int32 = -1
        for folder in ["/dev/shm", "/tmp"] where made < 0 { made = Glibc.open(folder, O_RDWR | O_CLOEXEC | Self.unnamed, 0o600) }
        descriptor = made
        guard descriptor >= 0 else { throw FuzzFinding("no memory file could be made: \(errno)") }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress! + written, $0.count - written, off_t(written))
            }
            guard count > 0 else { throw FuzzFinding("a memory file could not be written: \(errno)") }
            written += count
        }
    }

    deinit { close(descriptor) }

    /// As a regular file, or as a pipe: a file that is only read or written in order behaves as one does.
    borrowing func channel(_ access: Access) throws -> ByteChannel {
        access == .positional
            ? try ByteChannel.file(descriptor) : ByteChannel(descriptor: descriptor, access: .sequential)
    }

    borrowing func contents() throws -> [UInt8] {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FuzzFinding("a memory file could not be looked at: \(errno)") }
        let bytes = Int(status.st_size)
        return [UInt8](unsafeUninitializedCapacity: bytes) { buffer, initialized in
            initialized = max(0, pread(descriptor, buffer.baseAddress, bytes, 0))
        }
    }
}
