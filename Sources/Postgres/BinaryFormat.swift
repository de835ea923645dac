/// Big-endian integers, as every binary format of PostgreSQL writes them.
extension [UInt8] {
    init(bigEndian value: some FixedWidthInteger) {
        self = []
        append(bigEndian: value)
    }

    mutating func append<I: FixedWidthInteger>(bigEndian value: I) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}

/// A reader over the bytes of one value; every read is checked against what is left.
struct BinaryReader {
    private(set) var bytes: UnsafeRawBufferPointer.SubSequence

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes[...] }

    var remaining: Int { bytes.count }

    mutating func integer<I: FixedWidthInteger>(_: I.Type = I.self) throws -> I {
        let width = MemoryLayout<I>.size
        guard bytes.count >= width else { throw PostgresDecodingFailure() }
        let value = UnsafeRawBufferPointer(rebasing: bytes.prefix(width)).loadUnaligned(as: I.self)
        bytes = bytes.dropFirst(width)
        return I(bigEndian: value)
    }

    mutating func take(_ count: Int) throws -> UnsafeRawBufferPointer {
        guard count >= 0, bytes.count >= count else { throw PostgresDecodingFailure() }
        defer { bytes = bytes.dropFirst(count) }
        return UnsafeRawBufferPointer(rebasing: bytes.prefix(count))
    }
}
