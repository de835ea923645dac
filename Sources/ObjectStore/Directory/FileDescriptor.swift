import CLinux
import Glibc

/// Owns a descriptor; closes it when the last holder lets go.
final class FileDescriptor: Sendable {
    let number: Int32

    init(owning number: Int32) { self.number = number }

    deinit { _ = close(number) }

    func status() throws -> stat {
        var status = stat()
        guard fstat(number, &status) == 0 else { throw ObjectStoreError.system("fstat", errno) }
        return status
    }

    /// Makes what was written (of a folder: its names) survive a loss of power.
    func synchronise() throws {
        guard fsync(number) == 0 else { throw ObjectStoreError.system("fsync", errno) }
    }

    func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = Glibc.write(number, buffer.baseAddress! + done, buffer.count - done)
                if count < 0 {
                    if errno == EINTR { continue }
                    throw ObjectStoreError.system("write", errno)
                }
                done += count
            }
        }
    }

    /// Up to `count` bytes from `offset`: fewer only where the file ends.
    func read(count: Int, at offset: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = pread(number, buffer.baseAddress! + filled, count - filled, off_t(offset + filled))
                if got < 0 {
                    if errno == EINTR { continue }
                    throw ObjectStoreError.system("pread", errno)
                }
                if got == 0 { break }
                filled += got
            }
        }
    }
}

extension ObjectStoreError {
    /// One table from errno to codes. Messages name no path: paths of this machine are nobody else's business.
    static func system(_ call: String, _ number: Int32) -> ObjectStoreError {
        let cause = Cause(call: call, errno: number)
        return switch number {
        case ENOENT, ENOTDIR: ObjectStoreError(.notFound, "there is no such object", cause: cause)
        case EEXIST: ObjectStoreError(.alreadyExists, "the name is taken", cause: cause)
        case ELOOP, EXDEV: ObjectStoreError(.refused, "the name leads over a symbolic link or out of the store", cause: cause)
        case EISDIR, ENXIO, ENODEV: ObjectStoreError(.refused, "the name is not that of a file", cause: cause)
        // A kernel mounts a disk read-only when it fails: nobody's rights have changed, and it may pass.
        case EROFS: ObjectStoreError(.inputOutput, "the store cannot be written to now", cause: cause)
        case EACCES, EPERM: ObjectStoreError(.denied, "the store's folder does not permit this", cause: cause)
        case ENOSPC, EDQUOT: ObjectStoreError(.noSpace, "the store is full", cause: cause)
        case EFBIG: ObjectStoreError(.tooLarge, "the object is too large for the file system", cause: cause)
        case ENAMETOOLONG, EILSEQ: ObjectStoreError(.invalidName, "the file system does not take this name", cause: cause)
        case EAGAIN, EMFILE, ENFILE, ENOMEM: ObjectStoreError(.busy, "too much is going on at once", cause: cause)
        default: ObjectStoreError(.inputOutput, "the file system failed", cause: cause)
        }
    }
}
