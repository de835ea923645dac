/// Reads what `ByteWriter` wrote. Every read is checked against the end; one that would pass it throws `corruptedChunk`.
///
/// Valid only while the buffer it was made of is.
package struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    package private(set) var offset = 0

    package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    package var remaining: Int { bytes.count - offset }

    package mutating func read<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(TimeSeriesError) -> T {
        let size = MemoryLayout<T>.size
        guard remaining >= size else { throw .corruptedChunk("it ends too early") }
        defer { offset += size }
        return T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    package mutating func readDouble() throws(TimeSeriesError) -> Double {
        Double(bitPattern: try read(UInt64.self))
    }

    package mutating func readVarint() throws(TimeSeriesError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard remaining > 0 else { throw .corruptedChunk("it ends too early") }
            let byte = bytes[offset]
            offset += 1
            guard shift < 63 || (shift == 63 && byte <= 1) else { throw .corruptedChunk("a number is too long") }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    package mutating func readSigned() throws(TimeSeriesError) -> Int64 { unzigzag(try readVarint()) }

    /// A varint that counts things of at least `unitBytes` each, so that no count asks for more than the buffer can hold.
    package mutating func readCount(unitBytes: Int = 1) throws(TimeSeriesError) -> Int {
        let value = try readVarint()
        guard value <= UInt64(remaining / max(unitBytes, 1)) else { throw .corruptedChunk("a count passes the end") }
        return Int(value)
    }

    package mutating func readRaw(_ count: Int) throws(TimeSeriesError) -> UnsafeRawBufferPointer {
        guard count >= 0, remaining >= count else { throw .corruptedChunk("it ends too early") }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    package mutating func readPrefixed() throws(TimeSeriesError) -> UnsafeRawBufferPointer {
        try readRaw(try readCount())
    }

    package mutating func readString() throws(TimeSeriesError) -> String {
        guard let text = String(validating: try readPrefixed(), as: UTF8.self) else {
            throw .corruptedChunk("a text is not UTF-8")
        }
        return text
    }

    /// Throws unless everything was read.
    package func finish() throws(TimeSeriesError) {
        guard remaining == 0 else { throw .corruptedChunk("bytes follow its end") }
    }
}
