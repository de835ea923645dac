import CLinux
import Glibc
import Synchronization

/// Pages for secrets, and what `doctor` tells of them.
package enum SecretMemory {
    private static let lockFailureCount = Atomic<Int>(0)
    private static let pageBytes = max(4096, Int(sysconf(Int32(_SC_PAGESIZE))))

    /// How many secrets could not be locked since the process began. They are wiped all the same, but may reach swap.
    package static var lockFailures: Int { lockFailureCount.load(ordering: .relaxed) }

    /// Soft limit of locked memory; `nil` where unlimited.
    package static var lockLimitBytes: UInt64? {
        let limit = clinux_locked_memory_limit_bytes()
        return limit == .max ? nil : limit
    }

    static func pageMultiple(_ count: Int) -> Int {
        max(pageBytes, (count + pageBytes - 1) / pageBytes * pageBytes)
    }

    static func map(_ bytes: Int) -> UnsafeMutableRawPointer {
        var locked: Int32 = 0
        guard let base = clinux_secret_map(bytes, &locked) else {
            // As Swift's own allocations: there is no way on without a page.
            preconditionFailure("No memory for a secret of \(bytes) bytes.")
        }
        if locked == 0 { lockFailureCount.add(1, ordering: .relaxed) }
        return base
    }
}

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
