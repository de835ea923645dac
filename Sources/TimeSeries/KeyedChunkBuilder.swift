/// Collects records by item into the plaintext of one chunk: fitted series, backtest values, forecasts.
///
/// A partition is a sequence of records: varint key bytes · key · varint payload bytes · payload, in the order added.
package struct KeyedChunkBuilder: Sendable {
    private let kind: ChunkKind
    private let keyFieldCount: Int
    private let limits: ChunkLimits
    private var records: [(hash: UInt64, key: [UInt8], payload: [UInt8])] = []
    private var payloadBytes = 0

    /// What a record takes beside key and payload at most.
    private static let recordOverheadBytes = 16

    package init(kind: ChunkKind, keyFieldCount: Int, limits: ChunkLimits = .default) {
        self.kind = kind
        self.keyFieldCount = keyFieldCount
        self.limits = limits
    }

    package var recordCount: Int { records.count }
    package var isFull: Bool { payloadBytes >= limits.payloadBytes }

    /// Throws `invalidArgument` when the key does not have the fields that the chunk's keys have.
    package mutating func add(_ key: ItemKey, _ payload: [UInt8]) throws(TimeSeriesError) {
        guard key.fields.count == keyFieldCount else {
            throw .invalidArgument("a key must have \(keyFieldCount) fields in this chunk")
        }
        let encoded = key.encoded
        payloadBytes += encoded.count + payload.count + Self.recordOverheadBytes
        records.append((key.partitionHash, encoded, payload))
    }

    /// The plaintext, or nil where there is nothing; the builder is empty afterwards and may be used again.
    ///
    /// - Parameter statistics: bytes that another module gives meaning, for a reader of the chunk's head.
    package mutating func finish(statistics: [UInt8] = []) -> [UInt8]? {
        guard !records.isEmpty else { return nil }
        let count = limits.partitionCount(payloadBytes: payloadBytes, itemCount: records.count)
        var writers = [ByteWriter](repeating: ByteWriter(), count: count)
        var sizes = [ChunkWriter.PartitionSize](repeating: .init(), count: count)
        for record in records {
            let partition = HashShare.index(of: record.hash, count: count)
            writers[partition].appendPrefixed(record.key)
            writers[partition].appendPrefixed(record.payload)
            sizes[partition].itemCount += 1
            sizes[partition].rowCount += 1
        }
        for partition in sizes.indices { sizes[partition].bytes = writers[partition].count }
        records = []
        payloadBytes = 0
        return ChunkWriter(
            kind: kind, frameBytes: limits.frameBytes, keyFieldCount: keyFieldCount, statistics: statistics, partitions: sizes
        ).plaintext { partition, target in target.copyBytes(from: writers[partition].bytes) }
    }
}
