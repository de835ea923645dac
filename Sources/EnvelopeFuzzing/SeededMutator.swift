/// Alters inputs as a fuzzer does, the same way for the same seed, for tests that need no fuzzer.
package struct SeededMutator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    /// SplitMix64.
    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    package mutating func number(below bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// Lengths, counts and marks that readers trip over, as big-endian integers of 1, 2 and 4 bytes.
    private static let telling: [[UInt8]] = [
        [0], [1], [0x7F], [0x80], [0xFF], [0, 0], [0, 1], [0x7F, 0xFF], [0x80, 0], [0xFF, 0xFF], [0, 0, 0, 0], [0, 0, 0, 1],
        [0x7F, 0xFF, 0xFF, 0xFF], [0x80, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFE], [0xFF, 0xFF, 0xFF, 0xFF], [0, 1, 0, 0],
    ]

    /// One to four alterations of `input`; the first byte, which says what the input is, stays.
    package mutating func mutate(_ input: [UInt8], beside other: [UInt8]) -> [UInt8] {
        var bytes = input
        for _ in 0...number(below: 4) { alter(&bytes, beside: other) }
        return bytes
    }

    private mutating func alter(_ bytes: inout [UInt8], beside other: [UInt8]) {
        guard bytes.count > 1 else { return bytes.append(UInt8(number(below: 256))) }
        let start = 1 + number(below: bytes.count - 1)
        let end = min(bytes.count, start + 1 + number(below: 40))
        switch number(below: 8) {
        case 0, 1: bytes[start] ^= 1 << UInt8(number(below: 8))
        case 2: bytes[start] = UInt8(number(below: 256))
        case 3:
            for (offset, byte) in Self.telling[number(below: Self.telling.count)].enumerated() where start + offset < bytes.count
            {
                bytes[start + offset] = byte
            }
        case 4: bytes.removeSubrange(start..<end)
        case 5: bytes.insert(contentsOf: Array(bytes[start..<end]), at: 1 + number(below: bytes.count))
        case 6: bytes.removeSubrange(start...)
        default:
            let from = number(below: max(1, other.count))
            bytes.replaceSubrange(start..<end, with: other[min(from, other.count)..<min(other.count, from + end - start)])
        }
    }
}
