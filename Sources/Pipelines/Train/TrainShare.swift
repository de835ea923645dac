package import TimeSeries

/// The part of a training task: one share of all items by their hash. JSON of the task; no value from the data.
package struct TrainShare: Codable, Sendable, Hashable {
    /// A share is read into memory whole, 16 bytes a row, and trained by one task.
    package static let rows = 1 << 20
    /// As many partitions as a chunk has at most: no share then reads what is another's.
    package static let countMax = ChunkIndex.partitionLimit

    package var share: Int
    package var of: Int

    package init(share: Int, of: Int) {
        self.share = share
        self.of = of
    }

    /// A power of two, so that shares are unions of the chunks' partitions.
    package static func split(rows: Int) -> [TrainShare] {
        var count = 1
        while count < countMax, rows > count * Self.rows { count *= 2 }
        return (0..<count).map { TrainShare(share: $0, of: count) }
    }

    package var hashShare: HashShare {
        get throws { try HashShare(index: share, of: of) }
    }
}
