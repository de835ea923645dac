import Foundation

/// The series of the demo: the shipped ones, or generated ones of any size.
struct DemoSeries {
    /// `item_id,timestamp,target_value` lines of one item, for the plot.
    struct Item {
        var name: String
        var points: [(timestamp: String, value: Double)]
    }

    var file: String
    var frequency: String
    var horizon: Int
    /// Items that are plotted.
    var plotted: [String]

    static func shipped(in folder: String) -> DemoSeries {
        DemoSeries(
            file: folder + "/road_casualties.csv", frequency: "M", horizon: 12,
            plotted: ["front_passengers", "rear_passengers", "drivers_killed"])
    }

    /// Daily series with a level, a week and noise; the same for the same numbers. Written line by line.
    static func generated(items: Int, days: Int, to file: String) throws -> DemoSeries {
        _ = FileManager.default.createFile(atPath: file, contents: nil)
        guard let handle = FileHandle(forWritingAtPath: file) else {
            throw DemoClient.Failure(description: "can't write \(file)")
        }
        defer { try? handle.close() }
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        var block = ""
        let start = 1_577_836_800  // 2020-01-01
        for item in 0..<items {
            for day in 0..<days {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let noise = Double(state >> 40) / Double(1 << 24) - 0.5
                let value = 100 + Double(item % 50) + 15 * sin(Double(day % 7) / 7 * 2 * .pi) + 8 * noise
                let date = Date(timeIntervalSince1970: Double(start + day * 86_400)).ISO8601Format().prefix(10)
                block += "item\(item),\(date) 00:00:00,\((value * 1000).rounded() / 1000)\n"
                if block.utf8.count > 1 << 20 {
                    try handle.write(contentsOf: Data(block.utf8))
                    block = ""
                }
            }
        }
        try handle.write(contentsOf: Data(block.utf8))
        return DemoSeries(file: file, frequency: "D", horizon: min(14, max(1, days / 8)), plotted: ["item0"])
    }

    func item(_ name: String) throws -> Item {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let points = text.split(separator: "\n").compactMap { line -> (String, Double)? in
            let fields = line.split(separator: ",")
            guard fields.count == 3, fields[0] == name, let value = Double(fields[2]) else { return nil }
            return (String(fields[1]), value)
        }
        return Item(name: name, points: points)
    }
}
