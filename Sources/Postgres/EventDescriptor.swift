import CLibpq
import Glibc

/// A descriptor that wakes one sleeping thread; any thread may signal it. Signals given before the thread sleeps are not lost.
///
/// Owned by one `ConnectionThread`: only that thread waits, so a read after `poll` said "readable" never blocks.
final class EventDescriptor: Sendable {
    let descriptor: Int32

    init() throws {
        descriptor = clibpq_eventfd()
        guard descriptor >= 0 else {
            throw PostgresError(.connectionFailed, message: "No descriptor could be had for a connection (errno \(errno)).")
        }
    }

    deinit { close(descriptor) }

    func signal() {
        var one: UInt64 = 1
        // The only failures are a full counter (then the thread wakes anyway) and EINTR.
        while write(descriptor, &one, MemoryLayout<UInt64>.size) < 0 && errno == EINTR {}
    }

    /// Blocks until signalled, and resets.
    func wait() {
        var count: UInt64 = 0
        while read(descriptor, &count, MemoryLayout<UInt64>.size) < 0 && errno == EINTR {}
    }
}
