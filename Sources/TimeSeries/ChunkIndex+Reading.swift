extension ChunkIndex {
    /// Reads the head of a chunk. `head` holds at least the first `headBytes` of the plaintext, or all of it.
    ///
    /// `plaintextBytes` is the authenticated length of the whole; every offset is checked against it.
    package init(
        reading head: UnsafeRawBufferPointer, expecting kind: ChunkKind, plaintextBytes: Int
    ) throws(TimeSeriesError) {
        var reader = ByteReader(head)
        guard Array(try reader.readRaw(Self.magic.count)) == Self.magic else { throw .corruptedChunk("it is no chunk") }
        guard try reader.read(UInt32.self) == Self.version else { throw .corruptedChunk("it has an unknown version") }
        guard try reader.read(UInt32.self) == kind.rawValue else { throw .corruptedChunk("it holds something else") }
        guard plaintextBytes <= Self.plaintextLimit else { throw .corruptedChunk("it is too long") }
        let frameBytes = Int(try reader.read(UInt32.self))
        let partitionCount = Int(try reader.read(UInt32.self))
        guard frameBytes > 0, partitionCount > 0, partitionCount <= Self.partitionLimit,
            partitionCount & (partitionCount - 1) == 0
        else { throw .corruptedChunk("its index is impossible") }
        let keyFieldCount = Int(try reader.read(UInt32.self))
        let itemCount = Int(try reader.read(UInt32.self))
        guard (1...DatasetLayout.dimensionLimit + 1).contains(keyFieldCount) else {
            throw .corruptedChunk("its keys have too many fields")
        }
        let rowCount = try Self.length(&reader, atMost: plaintextBytes)
        let statisticsStart = try Self.length(&reader, atMost: plaintextBytes)
        let statisticsBytes = try Self.length(&reader, atMost: plaintextBytes - statisticsStart)
        guard statisticsStart >= Self.fixedBytes + partitionCount * Self.entryBytes else {
            throw .corruptedChunk("its statistics overlap its index")
        }
        var partitions: [Partition] = []
        var end = statisticsStart + statisticsBytes
        for _ in 0..<partitionCount {
            let start = try Self.length(&reader, atMost: plaintextBytes)
            let bytes = try Self.length(&reader, atMost: plaintextBytes - start)
            let items = Int(try reader.read(UInt32.self))
            let rows = try Self.length(&reader, atMost: plaintextBytes)
            guard bytes == 0 ? items == 0 && rows == 0 : start >= end && start % frameBytes == 0 else {
                throw .corruptedChunk("its partitions overlap")
            }
            partitions.append(Partition(bytes: start..<start + bytes, itemCount: items, rowCount: rows))
            if bytes > 0 { end = start + bytes }
        }
        guard partitions.reduce(0, { $0 + $1.itemCount }) == itemCount,
            partitions.reduce(0, { $0 + $1.rowCount }) == rowCount, end == plaintextBytes
        else { throw .corruptedChunk("its counts disagree") }
        self.init(
            kind: kind, frameBytes: frameBytes, keyFieldCount: keyFieldCount, itemCount: itemCount, rowCount: rowCount,
            statistics: statisticsStart..<statisticsStart + statisticsBytes, partitions: partitions)
    }

    package init(reading head: [UInt8], expecting kind: ChunkKind, plaintextBytes: Int) throws(TimeSeriesError) {
        let result = head.withUnsafeBytes { buffer in
            Result { () throws(TimeSeriesError) in
                try ChunkIndex(reading: buffer, expecting: kind, plaintextBytes: plaintextBytes)
            }
        }
        self = try result.get()
    }

    private static func length(_ reader: inout ByteReader, atMost limit: Int) throws(TimeSeriesError) -> Int {
        let value = try reader.read(UInt64.self)
        guard value <= UInt64(limit) else { throw .corruptedChunk("an offset passes its end") }
        return Int(value)
    }
}
