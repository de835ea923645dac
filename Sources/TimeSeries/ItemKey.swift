/// What tells one series from another: the item id, then the values of the dimensions in schema order.
///
/// Bytes: each field as varint length and UTF-8. Keys are ordered by their fields' UTF-8 bytes, which no locale changes.
package struct ItemKey: Sendable, Hashable, Comparable {
    /// At least the item id.
    package let fields: [String]

    package init(itemID: String, dimensions: [String] = []) { fields = [itemID] + dimensions }

    package init(fields: [String]) throws(TimeSeriesError) {
        guard !fields.isEmpty else { throw .invalidArgument("an item key has at least the item id") }
        self.fields = fields
    }

    package var itemID: String { fields[0] }
    package var dimensions: ArraySlice<String> { fields.dropFirst() }

    package var encoded: [UInt8] {
        var writer = ByteWriter()
        for field in fields { writer.appendPrefixed(field) }
        return writer.bytes
    }

    package init(decoding bytes: UnsafeRawBufferPointer) throws(TimeSeriesError) {
        var reader = ByteReader(bytes)
        var fields: [String] = []
        while reader.remaining > 0 { fields.append(try reader.readString()) }
        guard !fields.isEmpty else { throw .corruptedChunk("an item has no id") }
        self.fields = fields
    }

    /// The hash that decides the partition. It covers the item id alone: a predictor that leaves dimensions out merges series
    /// of one item id, and they must lie in one partition for that.
    package var partitionHash: UInt64 { StableHash.hash(itemID) }

    /// The same, of an encoded key.
    static func partitionHash(encoded: UnsafeRawBufferPointer) throws(TimeSeriesError) -> UInt64 {
        var reader = ByteReader(encoded)
        return StableHash.hash(try reader.readPrefixed())
    }

    package static func < (left: ItemKey, right: ItemKey) -> Bool {
        for (a, b) in zip(left.fields, right.fields) where a != b { return a.utf8.lexicographicallyPrecedes(b.utf8) }
        return left.fields.count < right.fields.count
    }
}
