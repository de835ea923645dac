import CLinux

/// Overwrites the array's bytes in a way that no optimiser removes and empties it.
///
/// Only the storage this variable owns is reached: if the array was copied elsewhere, those bytes stay.
package func wipe(_ bytes: inout [UInt8]) {
    bytes.withUnsafeMutableBytes { wipe($0) }
    bytes.removeAll(keepingCapacity: false)
}

/// Overwrites a buffer in a way that no optimiser removes.
package func wipe(_ buffer: UnsafeMutableRawBufferPointer) {
    guard let base = buffer.baseAddress else { return }
    clinux_wipe(base, buffer.count)
}
