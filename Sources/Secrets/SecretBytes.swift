import CLinux

/// Secret bytes in pages of their own: locked in memory where the limit allows, left out of core files, wiped in a
/// forked child, and overwritten when the value ends.
///
/// Not copyable, so the number of places that hold a secret can be read off the source. A page at least is spent on
/// each (locking is per page and not counted by the kernel: two secrets in one page would unlock each other).
package struct SecretBytes: ~Copyable, @unchecked Sendable {
    // Sendable: the memory is written by the initialiser alone and only read afterwards; it is freed in `deinit`,
    // which runs once because the value cannot be copied.
    private let base: UnsafeMutableRawPointer
    private let mappedBytes: Int
    package let count: Int

    /// Makes `count` zeroed bytes and lets `initializing` fill them. When it throws, they are wiped again.
    package init(count: Int, initializing: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
        precondition(count >= 0, "A secret cannot have a negative length.")
        let mappedBytes = SecretMemory.pageMultiple(count)
        let base = SecretMemory.map(mappedBytes)
        do {
            try initializing(UnsafeMutableRawBufferPointer(start: base, count: count))
        } catch {
            clinux_secret_unmap(base, mappedBytes)
            throw error
        }
        self.base = base
        self.mappedBytes = mappedBytes
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

    deinit { clinux_secret_unmap(base, mappedBytes) }

    /// Lends the bytes for the call. They must not be kept.
    package borrowing func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Compares without a branch on content. Lengths are no secret.
    package borrowing func constantTimeEquals(_ other: borrowing SecretBytes) -> Bool {
        count == other.count && clinux_constant_time_equal(base, other.base, count) == 1
    }
}
