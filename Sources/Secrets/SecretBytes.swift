import CLinux

/// Secret bytes in pages for secrets alone: locked in memory where the limit allows, left out of core files, wiped in a
/// forked child, and overwritten when the value ends. Small ones share pages (``SecretPool``).
///
/// Not copyable, so the number of places that hold a secret can be read off the source.
package struct SecretBytes: ~Copyable, @unchecked Sendable {
    // Sendable: the memory is written by the initialiser alone and only read afterwards; it is freed in `deinit`,
    // which runs once because the value cannot be copied.
    private let piece: SecretPool.Piece
    private let pool: SecretPool
    package let count: Int

    /// Makes `count` zeroed bytes and lets `initializing` fill them. When it throws, they are wiped again.
    package init(
        count: Int, in pool: SecretPool = .shared, initializing: (UnsafeMutableRawBufferPointer) throws -> Void
    ) rethrows {
        precondition(count >= 0, "A secret cannot have a negative length.")
        let piece = pool.take(count)
        do {
            try initializing(UnsafeMutableRawBufferPointer(start: piece.base, count: count))
        } catch {
            pool.giveBack(piece)
            throw error
        }
        self.piece = piece
        self.pool = pool
        self.count = count
    }

    /// Copies bytes that somebody else owns. The caller wipes the source.
    package init(copying source: UnsafeRawBufferPointer) {
        self.init(count: source.count) { $0.copyMemory(from: source) }
    }

    /// Moves the bytes of an array here and overwrites the array's storage (its own, if it was shared).
    package init(consuming bytes: inout [UInt8]) {
        self.init(count: bytes.count) { target in bytes.withUnsafeBytes { target.copyMemory(from: $0) } }
        wipe(&bytes)
    }

    /// Fresh bytes from the system's random source.
    package static func random(count: Int) -> SecretBytes {
        SecretBytes(count: count) { target in
            // Straight into the locked pages; a generator's word would leave copies on the stack.
            guard clinux_random(target.baseAddress!, target.count) == 0 else {
                preconditionFailure("The kernel's random source answered with an error.")
            }
        }
    }

    deinit { pool.giveBack(piece) }

    /// Lends the bytes for the call. They must not be kept.
    package borrowing func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try body(UnsafeRawBufferPointer(start: piece.base, count: count))
    }

    /// Compares without a branch on content. Lengths are no secret.
    package borrowing func constantTimeEquals(_ other: borrowing SecretBytes) -> Bool {
        count == other.count && clinux_constant_time_equal(piece.base, other.piece.base, count) == 1
    }
}
