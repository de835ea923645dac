/// Reads a partition of observations item by item. The layout stands at `ChunkEncoder`.
struct ObservationReader {
    private struct Entry {
        let key: UnsafeRawBufferPointer
        let rowCount: Int
    }

    private let entries: [Entry]
    private var reader: ByteReader
    private let values: UnsafeRawBufferPointer
    private var entry = 0
    private var row = 0

    init(_ bytes: UnsafeRawBufferPointer) throws(TimeSeriesError) {
        var reader = ByteReader(bytes)
        let itemCount = try reader.readCount(unitBytes: 3)
        let rowCount = try reader.readCount(unitBytes: 8)
        var entries: [Entry] = []
        entries.reserveCapacity(itemCount)
        var total = 0
        for _ in 0..<itemCount {
            let key = try reader.readPrefixed()
            let rows = try reader.readCount(unitBytes: 8)
            guard rows > 0, !key.isEmpty else { throw .corruptedChunk("an item has no rows") }
            entries.append(Entry(key: key, rowCount: rows))
            total += rows
            guard total <= rowCount else { break }
        }
        guard total == rowCount, reader.remaining >= rowCount * 8 else { throw .corruptedChunk("its rows are miscounted") }
        self.entries = entries
        let timestampBytes = reader.remaining - rowCount * 8
        self.reader = ByteReader(try reader.readRaw(timestampBytes))
        values = try reader.readRaw(rowCount * 8)
    }

    /// The next item's key, appending its rows where `wanted` says so; nil at the end.
    mutating func next(
        wanted: (UnsafeRawBufferPointer) throws(TimeSeriesError) -> Bool, timestamps: inout [EpochSeconds], values: inout [Double]
    ) throws(TimeSeriesError) -> (key: UnsafeRawBufferPointer, rowCount: Int, isWanted: Bool)? {
        guard entry < entries.count else {
            try reader.finish()
            return nil
        }
        let item = entries[entry]
        let isWanted = try wanted(item.key)
        try readTimestamps(item.rowCount, into: &timestamps, isWanted: isWanted)
        if isWanted {
            for index in row..<row + item.rowCount {
                let bits = UInt64(littleEndian: self.values.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
                values.append(Double(bitPattern: bits))
            }
        }
        entry += 1
        row += item.rowCount
        return (item.key, item.rowCount, isWanted)
    }

    private mutating func readTimestamps(
        _ count: Int, into timestamps: inout [EpochSeconds], isWanted: Bool
    ) throws(TimeSeriesError) {
        var timestamp = try checked(try reader.readSigned())
        if isWanted { timestamps.append(timestamp) }
        guard count > 1 else { return }
        switch try reader.read(UInt8.self) {
        case 0:
            let step = try reader.readSigned()
            let (span, overflows) = step.multipliedReportingOverflow(by: Int64(count - 1))
            guard !overflows else { throw .corruptedChunk("a timestamp is out of bounds") }
            _ = try checked(timestamp &+ span)
            guard isWanted else { return }
            for _ in 1..<count {
                timestamp += step
                timestamps.append(timestamp)
            }
        case 1:
            for _ in 1..<count {
                timestamp = try checked(timestamp &+ (try reader.readSigned()))
                if isWanted { timestamps.append(timestamp) }
            }
        default: throw .corruptedChunk("timestamps of an unknown kind")
        }
    }

    private func checked(_ timestamp: EpochSeconds) throws(TimeSeriesError) -> EpochSeconds {
        guard (earliestTimestamp...latestTimestamp).contains(timestamp) else {
            throw .corruptedChunk("a timestamp is out of bounds")
        }
        return timestamp
    }
}
