import Glibc

/// Pieces of memory that are read or written by one call, in a list that a thread makes once and fills for every batch.
final class ByteVectors {
    /// As many as the system takes at once (IOV_MAX).
    static let maximumCount = 1024

    private let list: UnsafeMutablePointer<iovec>
    private let capacity: Int
    private var first = 0
    private var end = 0

    init(capacity: Int) {
        precondition((1...Self.maximumCount).contains(capacity))
        self.capacity = capacity
        list = .allocate(capacity: capacity)
    }

    deinit { list.deallocate() }

    /// Bytes still to go.
    private(set) var byteCount = 0

    func removeAll() { (first, end, byteCount) = (0, 0, 0) }

    func append(_ piece: UnsafeMutableRawBufferPointer) {
        guard piece.count > 0 else { return }
        precondition(end < capacity, "internal: more pieces than a batch has frames")
        list[end] = iovec(iov_base: piece.baseAddress, iov_len: piece.count)
        end += 1
        byteCount += piece.count
    }

    /// Forgets the first bytes, which were read or written.
    func removeFirst(_ bytes: Int) {
        precondition(bytes <= byteCount)
        byteCount -= bytes
        var left = bytes
        while left > 0 {
            let length = Int(list[first].iov_len)
            guard left < length else {
                left -= length
                first += 1
                continue
            }
            list[first] = iovec(iov_base: list[first].iov_base + left, iov_len: length - left)
            left = 0
        }
    }

    /// The pieces that are left, for one call of the system's.
    var pointer: UnsafePointer<iovec> { UnsafePointer(list + first) }
    var count: Int32 { Int32(end - first) }
}
