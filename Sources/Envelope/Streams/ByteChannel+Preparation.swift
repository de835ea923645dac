import CLinux
import Glibc

extension ByteChannel {
    /// Room of a pipe that is set up for a pass: reader and writer then meet less often.
    private static let pipeBytes: Int32 = 1 << 20
    /// F_SETPIPE_SZ, which Swift does not see.
    private static let setPipeSize: Int32 = 1031

    /// Gives a pipe more room. Whatever is no pipe, or may not have as much, stays as it is.
    func widen() {
        if isSequential { _ = fcntl(descriptor, Self.setPipeSize, Self.pipeBytes) }
    }

    /// Below this, setting room aside costs more than it spares.
    private static let reservedFrom = 1 << 20

    /// Sets room aside for an output file of which the length is known: a disk that is too full says so before the work,
    /// and writing costs a quarter less, since blocks are found once. File systems that cannot are left alone.
    func reserve(_ bytes: Int) throws {
        guard !isSequential, bytes >= Self.reservedFrom else { return }
        guard clinux_reserve(descriptor, Int64(bytes)) != 0 else { return }
        let code = errno
        guard ![ENOSPC, EDQUOT, EFBIG].contains(code) else { throw Self.failure("Making room for the output", code) }
    }

    /// Throws unless a file that was read from its start to `bytes` ends there: what grew was not read as a whole.
    func checkEnd(_ bytes: Int) throws {
        var byte: UInt8 = 0
        guard pread(descriptor, &byte, 1, off_t(bytes)) == 0 else {
            throw EnvelopeError.inputOutput("The input changed its length while it was read.")
        }
    }
}
