import CLinux

/// Compares without a branch on content. Unequal lengths answer false at once: lengths are no secret.
package func constantTimeEquals(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    return withBytes(a) { left in
        withBytes(b) { right in
            guard let l = left.baseAddress, let r = right.baseAddress else { return true }
            return clinux_constant_time_equal(l, r, left.count) == 1
        }
    }
}

private func withBytes<R>(_ bytes: some Collection<UInt8>, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    if let result = bytes.withContiguousStorageIfAvailable({ body(UnsafeRawBufferPointer($0)) }) { return result }
    return Array(bytes).withUnsafeBytes(body)
}
