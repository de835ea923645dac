import Synchronization

/// A secret with several holders, any of whom (a key lease that was lost) can wipe it for all.
package final class SharedSecret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let bytes: Mutex<SecretBytes?>

    /// Stays known after wiping: lengths are no secret.
    package let count: Int

    package init(_ bytes: consuming SecretBytes) {
        count = bytes.count
        self.bytes = Mutex(bytes)
    }

    /// Lends the bytes for the call; wiping waits for its end. Keep the call short. Throws ``SecretError/wiped``.
    package func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        // Through a variable, since `Mutex` would ask of the result to be sendable to anywhere.
        var result: R?
        try bytes.withLock { held in
            switch held {
            case .some(let secret): result = try secret.withUnsafeBytes(body)
            case .none: throw SecretError.wiped
            }
        }
        return result!
    }

    /// Overwrites and frees the bytes. Doing it again does nothing.
    package func wipe() {
        bytes.withLock { $0 = nil }
    }

    package var isWiped: Bool {
        bytes.withLock { held in
            switch held {
            case .some: false
            case .none: true
            }
        }
    }

    package var description: String { redactedText }
    package var debugDescription: String { redactedText }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
