/// Reads the records of a partition that `KeyedChunkBuilder` wrote.
package struct KeyedPartition {
    private var reader: ByteReader

    /// Valid only while the bytes are.
    package init(_ bytes: UnsafeRawBufferPointer) { reader = ByteReader(bytes) }

    /// The next record in the order added; nil at the end.
    package mutating func next() throws(TimeSeriesError) -> (key: ItemKey, payload: UnsafeRawBufferPointer)? {
        guard reader.remaining > 0 else { return nil }
        let key = try ItemKey(decoding: try reader.readPrefixed())
        return (key, try reader.readPrefixed())
    }

    /// The records whose key satisfies the predicate, copied.
    package static func records(
        in bytes: [UInt8], where isWanted: (ItemKey) -> Bool
    ) throws(TimeSeriesError) -> [(key: ItemKey, payload: [UInt8])] {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(TimeSeriesError) in
                var found: [(key: ItemKey, payload: [UInt8])] = []
                var partition = KeyedPartition(buffer)
                while let record = try partition.next() {
                    if isWanted(record.key) { found.append((record.key, Array(record.payload))) }
                }
                return found
            }
        }
        return try result.get()
    }
}
