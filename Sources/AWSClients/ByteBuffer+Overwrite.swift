import NIOCore
import Secrets

extension ByteBuffer {
    /// Overwrites the readable bytes in place, which nobody may read any more. A mutation through the buffer's own means
    /// copies first where its storage is shared, and leaves the original; other holders of the storage hold other parts of it.
    func overwrite() {
        withUnsafeReadableBytes { wipe(UnsafeMutableRawBufferPointer(mutating: $0)) }
    }
}
