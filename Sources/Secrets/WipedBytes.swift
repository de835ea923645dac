import CLinux
import Synchronization

/// Bytes in ordinary memory that are overwritten when the last holder lets go, or before: for a request's body that
/// holds a secret. Not locked: whoever has not signed yet could use the limit up.
///
/// Grows piece by piece up to the bound of whoever fills it; what is outgrown is overwritten too.
package final class WipedBytes: ReadableSecret, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private struct Storage: ~Copyable, @unchecked Sendable {
        // Sendable: owned by the lock around it, which lends it to one thread at a time.
        var buffer: UnsafeMutableRawBufferPointer
        var count = 0
        var isWiped = false

        deinit {
            wipeMemory(buffer)
            buffer.deallocate()
        }
    }

    private static let firstBytes = 1024

    private let storage = Mutex(Storage(buffer: .allocate(byteCount: firstBytes, alignment: 16)))

    package init() {}

    package var count: Int { storage.withLock { $0.count } }
    package var isWiped: Bool { storage.withLock { $0.isWiped } }

    /// Copies bytes in; the caller overwrites the source. After ``wipe()`` nothing is taken any more.
    package func append(_ source: UnsafeRawBufferPointer) {
        storage.withLock { storage in
            guard !storage.isWiped, let bytes = source.baseAddress else { return }
            let needed = storage.count + source.count
            if needed > storage.buffer.count {
                let grown = UnsafeMutableRawBufferPointer.allocate(
                    byteCount: max(needed, 2 * storage.buffer.count), alignment: 16)
                grown.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage.buffer[..<storage.count]))
                wipeMemory(storage.buffer)
                storage.buffer.deallocate()
                storage.buffer = grown
            }
            (storage.buffer.baseAddress! + storage.count).copyMemory(from: bytes, byteCount: source.count)
            storage.count = needed
        }
    }

    package func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        // Through a variable, since `Mutex` would ask of the result to be sendable to anywhere.
        var result: R?
        try storage.withLock { storage in
            guard !storage.isWiped else { throw SecretError.wiped }
            result = try body(UnsafeRawBufferPointer(rebasing: storage.buffer[..<storage.count]))
        }
        return result!
    }

    package func wipe() {
        storage.withLock { storage in
            wipeMemory(storage.buffer)
            storage.count = 0
            storage.isWiped = true
        }
    }

    package var description: String { redactedText }
    package var debugDescription: String { redactedText }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// The free function under a name that the method above does not hide.
private func wipeMemory(_ buffer: UnsafeMutableRawBufferPointer) {
    if let base = buffer.baseAddress { clinux_wipe(base, buffer.count) }
}
