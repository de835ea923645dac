import Glibc

/// One end of a pass: a file descriptor that is read or written, by offset for regular files, in order for pipes.
///
/// The descriptor stays the caller's. Reads and writes are for the pass's own threads, never for the cooperative pool.
package struct ByteChannel: Sendable {
    package enum Access: Sendable, Equatable {
        /// A regular file whose offsets are used as they are; `bytes` is its length when it was opened (0 for outputs).
        case positional(bytes: Int)
        /// A pipe, socket or terminal, or a file that somebody else positions.
        case sequential
    }

    package let descriptor: Int32
    package let access: Access

    package init(descriptor: Int32, access: Access) {
        self.descriptor = descriptor
        self.access = access
    }

    /// A file that this process opened itself: by offset when it is a regular file.
    package static func file(_ descriptor: Int32) throws(EnvelopeError) -> ByteChannel {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("Looking at the file", errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { return ByteChannel(descriptor: descriptor, access: .sequential) }
        return ByteChannel(descriptor: descriptor, access: .positional(bytes: Int(status.st_size)))
    }

    static func failure(_ action: String, _ code: Int32) -> EnvelopeError {
        .inputOutput("\(action) failed: \(String(cString: strerror(code))).")
    }

    /// How often a waiting thread looks whether the pass was given up.
    private static let waitMilliseconds: Int32 = 200

    /// Waits until a pipe is ready; throws when the pass was given up meanwhile, so that no thread is left behind in
    /// a read of a pipe that nobody fills.
    private func wait(for events: Int16, _ checkpoint: () throws -> Void) throws {
        var poll = pollfd(fd: descriptor, events: events, revents: 0)
        while true {
            try checkpoint()
            let ready = Glibc.poll(&poll, 1, Self.waitMilliseconds)
            if ready > 0 { return }
            if ready < 0 && errno != EINTR { throw Self.failure("Waiting for the pipe", errno) }
        }
    }

    /// Fills the buffer in order as far as the input goes and answers how much there was: less than asked means its end.
    func read(into buffer: UnsafeMutableRawBufferPointer, checkpoint: () throws -> Void) throws -> Int {
        var filled = 0
        while filled < buffer.count {
            try wait(for: Int16(POLLIN), checkpoint)
            let count = Glibc.read(descriptor, buffer.baseAddress! + filled, buffer.count - filled)
            if count == 0 { break }
            if count > 0 {
                filled += count
            } else if errno != EINTR && errno != EAGAIN {
                throw Self.failure("Reading the input", errno)
            }
        }
        return filled
    }

    /// Fills the whole buffer from `offset`; a file that became shorter is an error.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws {
        var filled = 0
        while filled < buffer.count {
            let count = pread(descriptor, buffer.baseAddress! + filled, buffer.count - filled, off_t(offset + filled))
            if count == 0 { throw EnvelopeError.inputOutput("The input became shorter while it was read.") }
            if count > 0 {
                filled += count
            } else if errno != EINTR {
                throw Self.failure("Reading the input", errno)
            }
        }
    }

    func write(_ buffer: UnsafeRawBufferPointer, checkpoint: () throws -> Void) throws {
        var written = 0
        while written < buffer.count {
            try wait(for: Int16(POLLOUT), checkpoint)
            let count = Glibc.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
            if count >= 0 {
                written += count
            } else if errno != EINTR && errno != EAGAIN {
                throw Self.failure("Writing the output", errno)
            }
        }
    }

    func write(_ buffer: UnsafeRawBufferPointer, at offset: Int) throws {
        var written = 0
        while written < buffer.count {
            let count = pwrite(descriptor, buffer.baseAddress! + written, buffer.count - written, off_t(offset + written))
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                throw Self.failure("Writing the output", errno)
            }
        }
    }
}
