import Foundation
import TimeSeries

/// Daily series of any size: a level, a slow trend, a week, a year and noise. The same numbers give the same bytes.
struct SyntheticSeries: Sendable {
    static let daysRange = 28...3650
    static let itemsRange = 1...10_000_000
    private static let blockBytes = 1 << 20
    private static let firstDay = CivilDate(year: 2015, month: 1, day: 1).daysSinceEpoch

    let items: Int
    let days: Int

    /// Reads `ITEMS,DAYS`; nil for anything else.
    init?(_ text: String) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let items = parts[0], let days = parts[1], Self.itemsRange.contains(items),
            Self.daysRange.contains(days)
        else { return nil }
        self.items = items
        self.days = days
    }

    static func itemName(_ item: Int) -> String { "item\(item)" }

    /// Writes the file block by block: memory does not grow with its size.
    func write(to path: String) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil), let handle = FileHandle(forWritingAtPath: path) else {
            throw DemoFailure(description: "\(path) cannot be written")
        }
        defer { try? handle.close() }
        let dates = (0..<days).map(Self.dateField)
        let shape = (0..<days).map(Self.shape)
        var block: [UInt8] = []
        block.reserveCapacity(Self.blockBytes + 128)
        for item in 0..<items {
            let name = Array((Self.itemName(item) + ",").utf8)
            var noise = SplitMix(seed: UInt64(item))
            let level = 50 + 200 * noise.next()
            let trend = (noise.next() - 0.3) * level / Double(days)
            for day in 0..<days {
                let smooth: Double = (level + trend * Double(day)) * shape[day]
                let value: Double = smooth * (1 + 0.16 * (noise.next() - 0.5))
                block += name
                block += dates[day]
                Self.append(hundredths: Int((value * 100).rounded()), to: &block)
                if block.count >= Self.blockBytes {
                    try handle.write(contentsOf: Data(block))
                    block.removeAll(keepingCapacity: true)
                }
            }
        }
        try handle.write(contentsOf: Data(block))
    }

    private static func dateField(_ day: Int) -> [UInt8] {
        let seconds = Int64(firstDay + day) * 86_400
        return Array((TimestampStyle.spaced.string(seconds) + ",").utf8)
    }

    /// A week and a year around 1.
    private static func shape(_ day: Int) -> Double {
        let week: Double = 0.2 * sin(Double(day % 7) / 7 * 2 * Double.pi)
        let year: Double = 0.3 * sin(Double(day) / 365.25 * 2 * Double.pi)
        return 1 + week + year
    }

    /// Values are never negative.
    private static func append(hundredths: Int, to block: inout [UInt8]) {
        block += String(hundredths / 100).utf8
        block.append(UInt8(ascii: "."))
        block.append(UInt8(ascii: "0") + UInt8(hundredths / 10 % 10))
        block.append(UInt8(ascii: "0") + UInt8(hundredths % 10))
        block.append(UInt8(ascii: "\n"))
    }

    /// SplitMix64 (Steele, Lea, Flood 2014): numbers of 0..<1 from any seed.
    private struct SplitMix {
        private var state: UInt64

        init(seed: UInt64) { state = seed }

        mutating func next() -> Double {
            state &+= 0x9E37_79B9_7F4A_7C15
            var bits = state
            bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
            bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
            return Double((bits ^ (bits >> 31)) >> 11) / 0x1p53
        }
    }
}
