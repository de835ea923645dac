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
    ///
    /// A file to be read that claims no length is read to its end: those of /proc do, and hold something all the same.
    package static func file(_ descriptor: Int32) throws(EnvelopeError) -> ByteChannel {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("Looking at the file", errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { return ByteChannel(descriptor: descriptor, access: .sequential) }
        if status.st_size == 0, fcntl(descriptor, F_GETFL) & O_ACCMODE == O_RDONLY {
            return ByteChannel(descriptor: descriptor, access: .sequential)
        }
        return ByteChannel(descriptor: descriptor, access: .positional(bytes: Int(status.st_size)))
    }

    var isSequential: Bool { access == .sequential }

    static func failure(_ action: String, _ code: Int32) -> EnvelopeError {
        .inputOutput("\(action) failed: \(String(cString: strerror(code))).")
    }
}

// MARK: In order

extension ByteChannel {
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
        try Self.transfer(buffer.count, "Reading the input") { done in
            try wait(for: Int16(POLLIN), checkpoint)
            return Glibc.read(descriptor, buffer.baseAddress! + done, buffer.count - done)
        }
    }

    /// As ``read(into:checkpoint:)``, into pieces, which are used up.
    func read(into pieces: ByteVectors, checkpoint: () throws -> Void) throws -> Int {
        try Self.transfer(pieces.byteCount, "Reading the input") { _ in
            try wait(for: Int16(POLLIN), checkpoint)
            return Self.used(pieces, readv(descriptor, pieces.pointer, pieces.count))
        }
    }

    func write(_ buffer: UnsafeRawBufferPointer, checkpoint: () throws -> Void) throws {
        let written = try Self.transfer(buffer.count, "Writing the output") { done in
            try wait(for: Int16(POLLOUT), checkpoint)
            return Glibc.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
        }
        try Self.require(written, buffer.count)
    }

    func write(_ pieces: ByteVectors, checkpoint: () throws -> Void) throws {
        let total = pieces.byteCount
        let written = try Self.transfer(total, "Writing the output") { _ in
            try wait(for: Int16(POLLOUT), checkpoint)
            return Self.used(pieces, writev(descriptor, pieces.pointer, pieces.count))
        }
        try Self.require(written, total)
    }
}

// MARK: By offset

extension ByteChannel {
    /// Fills the whole buffer from `offset`; a file that became shorter is an error.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws {
        let count = try Self.transfer(buffer.count, "Reading the input") { done in
            pread(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
        }
        guard count == buffer.count else { throw Self.becameShorter }
    }

    func read(into pieces: ByteVectors, at offset: Int) throws {
        let total = pieces.byteCount
        let count = try Self.transfer(total, "Reading the input") { done in
            Self.used(pieces, preadv(descriptor, pieces.pointer, pieces.count, off_t(offset + done)))
        }
        guard count == total else { throw Self.becameShorter }
    }

    func write(_ buffer: UnsafeRawBufferPointer, at offset: Int) throws {
        let written = try Self.transfer(buffer.count, "Writing the output") { done in
            pwrite(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
        }
        try Self.require(written, buffer.count)
    }

    func write(_ pieces: ByteVectors, at offset: Int) throws {
        let total = pieces.byteCount
        let written = try Self.transfer(total, "Writing the output") { done in
            Self.used(pieces, pwritev(descriptor, pieces.pointer, pieces.count, off_t(offset + done)))
        }
        try Self.require(written, total)
    }

    private static let becameShorter = EnvelopeError.inputOutput("The input became shorter while it was read.")
}

// MARK: Both

extension ByteChannel {
    /// Calls `step` with the bytes that are through until all are, or it answers 0. Answers how many went through.
    private static func transfer(_ total: Int, _ action: String, _ step: (Int) throws -> Int) throws -> Int {
        var done = 0
        while done < total {
            let count = try step(done)
            if count == 0 { break }
            if count > 0 {
                done += count
            } else if errno != EINTR && errno != EAGAIN {
                throw failure(action, errno)
            }
        }
        return done
    }

    private static func used(_ pieces: ByteVectors, _ result: Int) -> Int {
        if result > 0 { pieces.removeFirst(result) }
        return result
    }

    private static func require(_ written: Int, _ total: Int) throws {
        guard written == total else { throw EnvelopeError.inputOutput("Writing the output failed: it takes no more.") }
    }
}
