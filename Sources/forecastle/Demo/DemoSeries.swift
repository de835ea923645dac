import Foundation

/// The series of the demo, with what is said of them in the calls and shown of them in the plot.
struct DemoSeries: Sendable {
    /// `item_id,timestamp,target_value` lines.
    var file: String
    var frequency: String
    var horizon: Int
    /// Items that are plotted, from the beginning of the file on where it is large.
    var plotted: [String]

    static func shipped(in folder: String) -> DemoSeries {
        DemoSeries(
            file: folder + "/road_casualties.csv", frequency: "M", horizon: 12,
            plotted: ["front_passengers", "rear_passengers", "drivers_killed"])
    }

    static func generated(_ series: SyntheticSeries, in file: String) -> DemoSeries {
        DemoSeries(
            file: file, frequency: "D", horizon: min(14, max(1, series.days / 8)),
            plotted: (0..<min(3, series.items)).map(SyntheticSeries.itemName))
    }

    /// The points of the plotted items. Reads as far into the file as they go, so that a file of any size will do; an
    /// item's lines stand together.
    func history() throws -> [String: [(timestamp: String, value: Double)]] {
        guard let handle = FileHandle(forReadingAtPath: file) else { throw DemoFailure(description: "\(file) cannot be read") }
        defer { try? handle.close() }
        var points: [String: [(timestamp: String, value: Double)]] = [:]
        var open = Set(plotted)
        var current = ""
        var rest = Data()
        while !open.isEmpty || plotted.contains(current), let block = try handle.read(upToCount: 1 << 20), !block.isEmpty {
            rest.append(block)
            guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { continue }
            for line in String(decoding: rest[...end], as: UTF8.self).split(separator: "\n") {
                let fields = line.split(separator: ",")
                guard fields.count == 3, let value = Double(fields[2]) else { continue }
                current = String(fields[0])
                guard plotted.contains(current) else { continue }
                open.remove(current)
                points[current, default: []].append((String(fields[1]), value))
            }
            rest = Data(rest[(end + 1)...])
        }
        return points
    }
}
