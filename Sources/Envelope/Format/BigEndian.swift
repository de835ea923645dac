/// Appends integers as the format has them: big-endian, without padding.
extension [UInt8] {
    mutating func append(bigEndian value: UInt16) {
        append(UInt8(truncatingIfNeeded: value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }

    mutating func append(bigEndian value: UInt32) {
        append(bigEndian: UInt16(truncatingIfNeeded: value >> 16))
        append(bigEndian: UInt16(truncatingIfNeeded: value))
    }

    /// Length of two bytes, then the bytes. The caller has checked that the length fits.
    mutating func append(lengthPrefixed bytes: some Collection<UInt8>) {
        append(bigEndian: UInt16(bytes.count))
        append(contentsOf: bytes)
    }
}

extension UnsafeRawBufferPointer {
    /// The four bytes at `offset`, big-endian.
    func bigEndianUInt32(at offset: Int) -> UInt32 {
        UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}

/// Reads a header front to back. Running out of bytes is told apart from bad bytes, since a pipe may bring more.
struct ByteCursor {
    enum Failure: Error { case needs(totalBytes: Int), malformed }

    private let bytes: ArraySlice<UInt8>
    private(set) var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// Bytes read so far.
    var consumed: Int { position - bytes.startIndex }

    mutating func take(_ count: Int) throws(Failure) -> ArraySlice<UInt8> {
        guard bytes.endIndex - position >= count else { throw .needs(totalBytes: consumed + count) }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func takeUInt8() throws(Failure) -> UInt8 {
        try take(1).first!
    }

    mutating func takeUInt16() throws(Failure) -> UInt16 {
        try take(2).reduce(0) { $0 << 8 | UInt16($1) }
    }

    mutating func takeUInt32() throws(Failure) -> UInt32 {
        try take(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func takeLengthPrefixed() throws(Failure) -> ArraySlice<UInt8> {
        try take(Int(takeUInt16()))
    }
}
