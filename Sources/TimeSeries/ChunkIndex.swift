/// The head of a chunk: what it holds and where each partition lies, so that a reader opens only the frames it needs.
///
/// Layout, little-endian; the head fits into the first `headBytes` of the plaintext:
/// ```
///  0  "FCSTCHNK"          8  version u32 = 1     12  kind u32
/// 16  frame bytes u32    20  partitions u32      24  key fields u32     28  items u32
/// 32  rows u64           40  statistics offset u64                      48  statistics bytes u64
/// 56  per partition: offset u64 · bytes u64 · items u32 · rows u64
/// ```
/// The statistics follow the head; each partition starts at a multiple of the frame length. What lies between is zero.
package struct ChunkIndex: Sendable, Equatable {
    package struct Partition: Sendable, Equatable {
        /// The bytes of the plaintext that hold the partition; empty for one without items.
        package let bytes: Range<Int>
        package let itemCount: Int
        package let rowCount: Int
    }

    static let magic: [UInt8] = Array("FCSTCHNK".utf8)
    static let version: UInt32 = 1
    static let fixedBytes = 56
    static let entryBytes = 28
    package static let partitionLimit = 64
    /// Reading this many bytes, or the whole chunk where it is shorter, suffices to read the index.
    package static let headBytes = fixedBytes + partitionLimit * entryBytes
    /// No chunk is larger, so that no sum of offsets can overflow.
    static let plaintextLimit = 1 << 40

    package let kind: ChunkKind
    package let frameBytes: Int
    package let keyFieldCount: Int
    package let itemCount: Int
    package let rowCount: Int
    /// The bytes of the plaintext that hold the statistics.
    package let statistics: Range<Int>
    package let partitions: [Partition]

    /// The length of the plaintext.
    package var plaintextBytes: Int {
        partitions.reduce(statistics.upperBound) { max($0, $1.bytes.upperBound) }
    }

    init(
        kind: ChunkKind, frameBytes: Int, keyFieldCount: Int, itemCount: Int, rowCount: Int, statistics: Range<Int>,
        partitions: [Partition]
    ) {
        self.kind = kind
        self.frameBytes = frameBytes
        self.keyFieldCount = keyFieldCount
        self.itemCount = itemCount
        self.rowCount = rowCount
        self.statistics = statistics
        self.partitions = partitions
    }

    /// The one contiguous range that holds the partitions of a share, or nil where it has no items here.
    /// Partitions of other shares never lie in it.
    package func bytes(of share: HashShare) -> Range<Int>? {
        let owned = share.partitions(of: partitions.count).map { partitions[$0].bytes }.filter { !$0.isEmpty }
        guard let first = owned.first, let last = owned.last else { return nil }
        return first.lowerBound..<last.upperBound
    }

    /// The partitions of a share that hold items.
    package func partitions(of share: HashShare) -> [Partition] {
        share.partitions(of: partitions.count).map { partitions[$0] }.filter { !$0.bytes.isEmpty }
    }

    /// The partition where an item with this key would lie.
    package func partition(of key: ItemKey) -> Partition {
        partitions[HashShare.index(of: key.partitionHash, count: partitions.count)]
    }

    var encodedHead: [UInt8] {
        var writer = ByteWriter(reserving: Self.headBytes)
        writer.append(raw: Self.magic)
        writer.append(Self.version)
        writer.append(kind.rawValue)
        for value in [frameBytes, partitions.count, keyFieldCount, itemCount] { writer.append(UInt32(value)) }
        for value in [rowCount, statistics.lowerBound, statistics.count] { writer.append(UInt64(value)) }
        for partition in partitions {
            writer.append(UInt64(partition.bytes.lowerBound))
            writer.append(UInt64(partition.bytes.count))
            writer.append(UInt32(partition.itemCount))
            writer.append(UInt64(partition.rowCount))
        }
        return writer.bytes
    }
}
