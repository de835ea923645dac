/// Writes the rows of a chunk grouped by item, and its statistics.
///
/// A partition of observations, little-endian:
/// ```
/// varint items · varint rows
/// per item: varint key bytes · key · varint rows
/// per item: signed varint first timestamp; where it has more rows: flag u8,
///           0 → signed varint step (all steps are equal), 1 → one signed varint a step
/// rows × f64 values, NaN where missing
/// ```
/// Items stand in order of first appearance, an item's rows in input order: what `first` takes is decided by it.
struct ChunkEncoder {
    private let parser: RowParser
    private let layout: DatasetLayout
    private let limits: ChunkLimits
    /// Rows of each item.
    private let rowCounts: [Int]

    init(parser: RowParser, layout: DatasetLayout, limits: ChunkLimits) {
        self.parser = parser
        self.layout = layout
        self.limits = limits
        var counts = [Int](repeating: 0, count: parser.items.count)
        for row in 0..<parser.columns.count { counts[Int(parser.columns.items[row])] += 1 }
        rowCounts = counts
    }

    func chunk(end: InputPosition) -> BuiltChunk {
        let statistics = self.statistics()
        let payload = parser.columns.count * ChunkBuilder.rowBytes + parser.keyBytes
        let partitionCount = limits.partitionCount(payloadBytes: payload, itemCount: parser.items.count)
        let items = itemsByPartition(partitionCount)
        let order = rowOrder(items.flatMap { $0 })
        var heads: [[UInt8]] = []
        var firstRows: [Int] = []
        var sizes: [ChunkWriter.PartitionSize] = []
        var row = 0
        for partition in items {
            let rows = partition.reduce(0) { $0 + rowCounts[$1] }
            let head = partition.isEmpty ? [] : self.head(partition, rows, order, from: row)
            heads.append(head)
            firstRows.append(row)
            sizes.append(.init(bytes: head.count + rows * 8, itemCount: partition.count, rowCount: rows))
            row += rows
        }
        let writer = ChunkWriter(
            kind: .observations, frameBytes: limits.frameBytes, keyFieldCount: parser.layout.keyFieldCount,
            statistics: statistics.encoded, partitions: sizes)
        let values = parser.columns.values
        let plaintext = writer.plaintext { partition, target in
            target.copyBytes(from: heads[partition])
            var offset = heads[partition].count
            for row in firstRows[partition]..<firstRows[partition] + sizes[partition].rowCount {
                target.storeBytes(of: values[Int(order[row])].bitPattern.littleEndian, toByteOffset: offset, as: UInt64.self)
                offset += 8
            }
        }
        return BuiltChunk(
            plaintext: plaintext, rowCount: parser.columns.count, itemCount: parser.items.count, end: end, statistics: statistics)
    }

    private func itemsByPartition(_ count: Int) -> [[Int]] {
        var partitions = [[Int]](repeating: [], count: count)
        for item in 0..<parser.items.count {
            var reader = ByteReader(parser.items.key(item))
            guard let itemID = try? reader.readPrefixed() else { preconditionFailure("the table holds keys this module wrote") }
            partitions[HashShare.index(of: StableHash.hash(itemID), count: count)].append(item)
        }
        return partitions
    }

    /// Row numbers grouped by item, in the order of the items given; a stable counting sort.
    private func rowOrder(_ items: [Int]) -> [UInt32] {
        var next = [Int](repeating: 0, count: items.count)
        var start = 0
        for item in items {
            next[item] = start
            start += rowCounts[item]
        }
        let rows = parser.columns
        return [UInt32](unsafeUninitializedCapacity: rows.count) { order, count in
            for row in 0..<rows.count {
                let item = Int(rows.items[row])
                order[next[item]] = UInt32(truncatingIfNeeded: row)
                next[item] += 1
            }
            count = rows.count
        }
    }

    private func head(_ items: [Int], _ rows: Int, _ order: [UInt32], from firstRow: Int) -> [UInt8] {
        var writer = ByteWriter(reserving: items.count * 48 + 32)
        writer.appendVarint(items.count)
        writer.appendVarint(rows)
        for item in items {
            let key = parser.items.key(item)
            writer.appendVarint(key.count)
            writer.append(raw: key)
            writer.appendVarint(rowCounts[item])
        }
        var row = firstRow
        order.withUnsafeBufferPointer { order in
            for item in items {
                appendTimestamps(UnsafeBufferPointer(rebasing: order[row..<row + rowCounts[item]]), to: &writer)
                row += rowCounts[item]
            }
        }
        return writer.bytes
    }

    private func appendTimestamps(_ rows: UnsafeBufferPointer<UInt32>, to writer: inout ByteWriter) {
        let timestamps = parser.columns.timestamps
        let first = timestamps[Int(rows[0])]
        writer.appendSigned(first)
        guard rows.count > 1 else { return }
        let step = timestamps[Int(rows[1])] - first
        var isRegular = true
        var expected = first
        for row in rows {
            if timestamps[Int(row)] != expected {
                isRegular = false
                break
            }
            expected += step
        }
        writer.append(UInt8(isRegular ? 0 : 1))
        if isRegular { return writer.appendSigned(step) }
        var previous = first
        for row in rows.dropFirst() {
            writer.appendSigned(timestamps[Int(row)] - previous)
            previous = timestamps[Int(row)]
        }
    }

    // MARK: Statistics

    private func statistics() -> DatasetStatistics {
        var statistics = DatasetStatistics(schema: layout.schema)
        for (column, part) in parser.layout.parts.enumerated() {
            switch part {
            case .key(let slot): addText(slot, to: &statistics.fields[column])
            case .timestamp: addTimestamps(to: &statistics.fields[column])
            case .target: addNumbers(to: &statistics.fields[column])
            }
        }
        return statistics
    }

    private func addText(_ slot: Int, to field: inout FieldStatistics) {
        for item in 0..<parser.items.count {
            var reader = ByteReader(parser.items.key(item))
            var text = UnsafeRawBufferPointer(start: nil, count: 0)
            for _ in 0...slot {
                guard let next = try? reader.readPrefixed() else { preconditionFailure("the table holds keys this module wrote") }
                text = next
            }
            if text.isEmpty {
                field.nullCount += rowCounts[item]
            } else {
                field.count += rowCounts[item]
                field.distinct.insert(hash: StableHash.hash(text))
            }
        }
    }

    private func addTimestamps(to field: inout FieldStatistics) {
        let timestamps = UnsafeBufferPointer(start: parser.columns.timestamps, count: parser.columns.count)
        field.count = timestamps.count
        var earliest = Int64.max
        var latest = Int64.min
        for timestamp in timestamps {
            earliest = min(earliest, timestamp)
            latest = max(latest, timestamp)
        }
        field.earliest = earliest
        field.latest = latest
        field.distinct.insert(words: timestamps.lazy.map { UInt64(bitPattern: $0) })
    }

    private func addNumbers(to field: inout FieldStatistics) {
        let values = UnsafeBufferPointer(start: parser.columns.values, count: parser.columns.count)
        field.count = values.count - parser.nullCount - parser.nanCount
        field.nullCount = parser.nullCount
        field.nanCount = parser.nanCount
        field.add(numbers: values)
        // -0 and 0 are one value.
        field.distinct.insert(words: values.lazy.filter { !$0.isNaN }.map { ($0 + 0).bitPattern })
    }
}
