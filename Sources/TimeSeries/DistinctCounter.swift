/// Counts distinct values by their hashes: exactly up to 1,024 of them, then by HyperLogLog (2^13 registers, standard error 1.15 %).
///
/// Two counters merge into the one that would have seen both inputs, in any order. Source: Flajolet et al. 2007.
package struct DistinctCounter: Sendable, Equatable {
    static let exactLimit = 1024
    private static let slotCount = 4096
    private static let precision: UInt64 = 13
    private static let registerCount = 1 << Int(precision)

    /// Open-addressed set of hashes; 0 is an empty slot, so a hash of 0 is stored as 1.
    private var slots: [UInt64]
    private var exactCount = 0
    /// Empty while counting exactly.
    private var registers: [UInt8] = []

    package init() { slots = [] }

    package mutating func insert(hash: UInt64) {
        if registers.isEmpty { insertExactly(hash == 0 ? 1 : hash) } else { Self.record(hash, in: &registers) }
    }

    /// Inserts the hashes of many values at once, without leaving the tables in between.
    mutating func insert(words: some Sequence<UInt64>) {
        for word in words { insert(hash: StableHash.hash(word: word)) }
    }

    private mutating func insertExactly(_ hash: UInt64) {
        if slots.isEmpty { slots = [UInt64](repeating: 0, count: Self.slotCount) }
        var slot = Int(truncatingIfNeeded: hash) & (Self.slotCount - 1)
        while slots[slot] != 0 {
            if slots[slot] == hash { return }
            slot = (slot + 1) & (Self.slotCount - 1)
        }
        if exactCount == Self.exactLimit {
            becomeEstimate()
            Self.record(hash, in: &registers)
            return
        }
        slots[slot] = hash
        exactCount += 1
    }

    private mutating func becomeEstimate() {
        registers = [UInt8](repeating: 0, count: Self.registerCount)
        for hash in slots where hash != 0 { Self.record(hash, in: &registers) }
        slots = []
        exactCount = 0
    }

    @inline(__always)
    private static func record(_ hash: UInt64, in registers: inout [UInt8]) {
        let index = Int(hash >> (64 - precision))
        let rank = UInt8(((hash << precision) | (1 << (precision - 1))).leadingZeroBitCount + 1)
        if registers[index] < rank { registers[index] = rank }
    }

    package mutating func merge(_ other: DistinctCounter) {
        for hash in other.slots where hash != 0 { insert(hash: hash) }
        guard !other.registers.isEmpty else { return }
        if registers.isEmpty { becomeEstimate() }
        for index in registers.indices { registers[index] = max(registers[index], other.registers[index]) }
    }

    package var count: Int {
        guard !registers.isEmpty else { return exactCount }
        let size = Double(Self.registerCount)
        var sum = 0.0
        var zeros = 0
        for register in registers {
            sum += Double(sign: .plus, exponent: -Int(register), significand: 1)
            if register == 0 { zeros += 1 }
        }
        let raw = 0.7213 / (1 + 1.079 / size) * size * size / sum
        guard raw <= 2.5 * size, zeros > 0 else { return Int(raw.rounded()) }
        return Int((size * naturalLogarithm(size / Double(zeros))).rounded())
    }

    package func encode(into writer: inout ByteWriter) {
        writer.append(UInt8(registers.isEmpty ? 0 : 1))
        guard registers.isEmpty else { return writer.append(raw: registers) }
        writer.append(UInt16(exactCount))
        for hash in slots.filter({ $0 != 0 }).sorted() { writer.append(hash) }
    }

    package init(decoding reader: inout ByteReader) throws(TimeSeriesError) {
        self.init()
        switch try reader.read(UInt8.self) {
        case 0:
            let count = Int(try reader.read(UInt16.self))
            guard count <= Self.exactLimit else { throw .corruptedChunk("a counter is too long") }
            for _ in 0..<count { insert(hash: try reader.read(UInt64.self)) }
        case 1:
            registers = Array(try reader.readRaw(Self.registerCount))
            guard registers.allSatisfy({ $0 <= 64 - UInt8(Self.precision) + 1 }) else {
                throw .corruptedChunk("a counter holds an impossible register")
            }
        default: throw .corruptedChunk("a counter of an unknown kind")
        }
    }

    package static func == (left: DistinctCounter, right: DistinctCounter) -> Bool {
        left.registers == right.registers && Set(left.slots).subtracting([0]) == Set(right.slots).subtracting([0])
    }
}
