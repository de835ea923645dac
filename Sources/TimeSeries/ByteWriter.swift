/// Appends little-endian integers, varints and length-prefixed bytes.
package struct ByteWriter: Sendable {
    package private(set) var bytes: [UInt8]

    package init(reserving capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    package var count: Int { bytes.count }

    package mutating func append<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func append(_ value: Double) { append(value.bitPattern) }

    package mutating func append(raw other: some Collection<UInt8>) { bytes.append(contentsOf: other) }

    /// LEB128: seven bits a byte, low ones first.
    package mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    package mutating func appendVarint(_ value: Int) { appendVarint(UInt64(value)) }

    /// Zigzag, so that small negative numbers stay short.
    package mutating func appendSigned(_ value: Int64) { appendVarint(zigzag(value)) }

    package mutating func appendPrefixed(_ text: String) {
        appendVarint(text.utf8.count)
        bytes.append(contentsOf: text.utf8)
    }

    package mutating func appendPrefixed(_ other: [UInt8]) {
        appendVarint(other.count)
        bytes.append(contentsOf: other)
    }
}

@inline(__always)
func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: (value << 1) ^ (value >> 63)) }

@inline(__always)
func unzigzag(_ value: UInt64) -> Int64 { Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
