import AWSProtocol
import Verification

/// Which of the sampled quantities are flat once the cluster is warm.
struct SoakVerdict: Sendable {
    struct Line: Sendable {
        var name: String
        var metric: String
        var trend: Trend
        /// Nil where it is not judged.
        var isFlat: Bool?
        /// Why it is not.
        var note = ""
    }

    /// A part of the whole time is for warming up, and no less than a minute of a process's own life.
    private static let warmUpPart = 0.25
    private static let processWarmUp = 60.0
    /// A process that died before such a part of the time says nothing of hours: its pools were still filling.
    private static let lifePart = 1.0 / 12
    /// Tables grow until they are vacuumed for the first time, behind some thousand rows; sessions live an hour, and stay a quarter more.
    private static let tableWarmUp = 900.0
    private static let sessionsWarmUp = 4500.0
    private static let samplesMin = 20
    /// These keep what happened, for good or until their retention is over.
    private static let keepers = ["audit_", "job_history", "security_", "job_object", "key_changes"]

    let lines: [Line]

    init(_ samples: SoakSamples) {
        let all = samples.all
        let end = all.map(\.time).max() ?? 0
        let groups = Dictionary(grouping: all) { "\($0.kind.rawValue)\n\($0.name)\n\($0.metric)" }
        var lines: [Line] = []
        for (_, points) in groups.sorted(by: { $0.key < $1.key }) {
            guard let first = points.first, let last = points.last else { continue }
            let warm = Self.warm(first, last: last.time, end: end)
            let all = points.map { (time: $0.time, value: $0.value) }
            let settled = all.filter { $0.time >= warm }
            if settled.count >= Self.samplesMin, let trend = Trend(settled) {
                var note = ""
                if first.kind == .table, Self.keepers.contains(where: { Self.table(first).hasPrefix($0) }) { note = "keeps" }
                if first.kind == .process, last.time - first.time < end * Self.lifePart { note = "died soon" }
                lines.append(
                    Line(
                        name: first.name, metric: first.metric, trend: trend,
                        isFlat: note.isEmpty ? Self.isFlat(first, trend) : nil, note: note))
            } else if first.kind == .table, let trend = Trend(all) {
                lines.append(Line(name: first.name, metric: first.metric, trend: trend, isFlat: nil, note: "too soon"))
            }
        }
        self.lines = lines
    }

    /// From when on a quantity is looked at.
    private static func warm(_ sample: SoakSamples.Sample, last: Double, end: Double) -> Double {
        switch sample.kind {
        case .process: sample.time + max(processWarmUp, (last - sample.time) * warmUpPart)
        case .table: max(end * warmUpPart, table(sample) == "sessions" ? sessionsWarmUp : tableWarmUp)
        case .latency, .jobs: end * warmUpPart
        }
    }

    private static func table(_ sample: SoakSamples.Sample) -> String {
        sample.name.split(separator: " ").last.map(String.init) ?? ""
    }

    private static func isFlat(_ sample: SoakSamples.Sample, _ trend: Trend) -> Bool {
        switch (sample.kind, sample.metric) {
        case (.process, "resident bytes"): trend.isFlat(part: 0.15, floor: Double(12 << 20))
        case (.process, _): trend.isFlat(part: 0.15, floor: 6)
        case (.table, _): trend.isFlat(part: 0.25, floor: Double(2 << 20))
        case (.latency, _): trend.isFlat(part: 0.5, floor: 25)
        case (.jobs, _): trend.isFlat(part: 0.5, floor: 40)
        }
    }

    /// What is not flat, in words.
    var growing: [String] {
        lines.filter { $0.isFlat == false }.map { line in
            "\(line.name) \(line.metric) moves by \(Self.number(line.trend.drift, line.metric)) in \(Int(line.trend.seconds)) s"
        }
    }

    var table: TextTable {
        var table = TextTable(
            .text("what"), .text("metric"), .number("samples"), .number("median"), .number("drift"), .number("an hour"),
            .text("flat"))
        for line in lines {
            table.add(
                line.name, line.metric, "\(line.trend.samples)", Self.number(line.trend.median, line.metric),
                Self.number(line.trend.drift, line.metric), Self.number(line.trend.slope * 3600, line.metric),
                line.isFlat.map { $0 ? "yes" : "NO" } ?? line.note)
        }
        return table
    }

    var json: JSONValue {
        .array(
            lines.map { line in
                [
                    "name": .string(line.name), "metric": .string(line.metric), "samples": .int(Int64(line.trend.samples)),
                    "median": .double(line.trend.median), "driftPerHour": .double(line.trend.slope * 3600),
                    "drift": .double(line.trend.drift), "flat": line.isFlat.map { .bool($0) } ?? .null,
                    "note": .string(line.note),
                ]
            })
    }

    private static func number(_ value: Double, _ metric: String) -> String {
        if metric.contains("bytes") {
            let mebibytes = value / Double(1 << 20)
            return "\(Amount.decimals(mebibytes, 2)) MiB"
        }
        return Amount.decimals(value, 1)
    }
}
