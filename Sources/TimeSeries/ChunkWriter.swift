/// Lays out a chunk: head, statistics, and partitions aligned to frames.
struct ChunkWriter {
    struct PartitionSize {
        var bytes = 0
        var itemCount = 0
        var rowCount = 0
    }

    let index: ChunkIndex
    private let statistics: [UInt8]

    init(kind: ChunkKind, frameBytes: Int, keyFieldCount: Int, statistics: [UInt8], partitions sizes: [PartitionSize]) {
        let headBytes = ChunkIndex.fixedBytes + sizes.count * ChunkIndex.entryBytes
        var end = headBytes + statistics.count
        var partitions: [ChunkIndex.Partition] = []
        for size in sizes {
            let start = (end + frameBytes - 1) / frameBytes * frameBytes
            guard size.bytes > 0 else {
                partitions.append(.init(bytes: 0..<0, itemCount: 0, rowCount: 0))
                continue
            }
            end = start + size.bytes
            partitions.append(.init(bytes: start..<end, itemCount: size.itemCount, rowCount: size.rowCount))
        }
        self.statistics = statistics
        index = ChunkIndex(
            kind: kind, frameBytes: frameBytes, keyFieldCount: keyFieldCount,
            itemCount: sizes.reduce(0) { $0 + $1.itemCount }, rowCount: sizes.reduce(0) { $0 + $1.rowCount },
            statistics: headBytes..<headBytes + statistics.count, partitions: partitions)
    }

    /// The plaintext. `fill` writes each partition that has bytes; it must write all of them.
    func plaintext(fill: (_ partition: Int, _ into: UnsafeMutableRawBufferPointer) -> Void) -> [UInt8] {
        let total = index.plaintextBytes
        return [UInt8](unsafeUninitializedCapacity: total) { buffer, count in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            let head = index.encodedHead + statistics
            raw.copyBytes(from: head)
            var end = head.count
            for (number, partition) in index.partitions.enumerated() where !partition.bytes.isEmpty {
                raw[end..<partition.bytes.lowerBound].initializeMemory(as: UInt8.self, repeating: 0)
                fill(number, UnsafeMutableRawBufferPointer(rebasing: raw[partition.bytes]))
                end = partition.bytes.upperBound
            }
            count = total
        }
    }
}
