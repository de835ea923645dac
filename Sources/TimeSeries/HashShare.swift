/// A share of all items: those whose hash has `index` in its top bits, of `count` shares, a power of two.
///
/// Shares nest: the shares 2i and 2i+1 of 2n make up share i of n, whatever number of partitions a chunk has.
package struct HashShare: Sendable, Hashable {
    package static let countLimit = 1 << 16
    package static let everything = HashShare(uncheckedIndex: 0, count: 1)

    package let index: Int
    package let count: Int

    package init(index: Int, of count: Int) throws(TimeSeriesError) {
        guard count > 0, count <= Self.countLimit, count & (count - 1) == 0, (0..<count).contains(index) else {
            throw .invalidArgument("shares are counted by a power of two up to \(Self.countLimit)")
        }
        self.init(uncheckedIndex: index, count: count)
    }

    private init(uncheckedIndex: Int, count: Int) {
        index = uncheckedIndex
        self.count = count
    }

    package static func all(of count: Int) throws(TimeSeriesError) -> [HashShare] {
        _ = try HashShare(index: 0, of: count)
        return (0..<count).map { HashShare(uncheckedIndex: $0, count: count) }
    }

    package func contains(_ hash: UInt64) -> Bool { Self.index(of: hash, count: count) == index }

    /// The partitions of a chunk with `partitionCount` of them that hold items of this share.
    func partitions(of partitionCount: Int) -> Range<Int> {
        guard partitionCount >= count else {
            let index = index / (count / partitionCount)
            return index..<index + 1
        }
        let width = partitionCount / count
        return index * width..<(index + 1) * width
    }

    @inline(__always)
    static func index(of hash: UInt64, count: Int) -> Int {
        count == 1 ? 0 : Int(hash >> UInt64(64 - count.trailingZeroBitCount))
    }
}
