/// The record of `forecastle bench jobs` for people.
struct JobsReport {
    let record: BenchRecord

    var text: [String] {
        var lines = [record.machine.line, peers, ""]
        for (title, table) in tables { lines += [title] + table.lines.map { "  " + $0 } + [""] }
        return lines + ["targets"] + targets.lines.map { "  " + $0 }
    }

    var markdown: [String] {
        var lines = ["", "## Jobs", ""]
        lines += [
            "\(record.machine.line). \(peers), fsync and synchronous_commit on. "
                + "Medians of \(record.settings["repetitions"] ?? "?") repetitions (lowest–highest).", "",
        ]
        lines += targets.markdown + [""]
        for (title, table) in tables { lines += ["### \(title)", ""] + table.markdown + [""] }
        return lines
    }

    private var peers: String { record.peers.sorted { $0.key < $1.key }.map(\.value).joined(separator: ", ") }

    private var tables: [(String, TextTable)] {
        var tables: [(String, TextTable)] = []
        var loads = TextTable(.text("load"), .number("a second"), .number("µs of CPU each"))
        for result in record.results where !["start", "idle", "stop", "recovery"].contains(result.name.prefix { $0 != "." }) {
            loads.add(
                result.title, result.spread { Double($0.bytes) / $0.wallSeconds }?.text(0) ?? "",
                result.spread { $0.cpuSeconds / Double($0.bytes) * 1e6 }?.text(0) ?? "")
        }
        if !loads.isEmpty { tables.append(("Tasks and jobs", loads)) }
        var moments = TextTable(.text("moment"), .number("ms"))
        for result in record.results where ["start", "stop", "recovery"].contains(result.name.prefix { $0 != "." }) {
            moments.add(result.title, result.spread { $0.wallSeconds * 1000 }?.text(1) ?? "")
        }
        if !moments.isEmpty { tables.append(("Moments", moments)) }
        var idle = TextTable(.text("with nothing to do"), .number("% of a core"))
        for result in record.results where result.name.hasPrefix("idle.") {
            idle.add(result.title, result.spread { $0.cpuSeconds / $0.wallSeconds * 100 }?.text(2) ?? "")
        }
        if !idle.isEmpty { tables.append(("Idle", idle)) }
        return tables
    }

    private var targets: TextTable {
        var table = TextTable(.text("what"), .text("target [next]"), .number("seen"), .text("verdict"))
        for target in record.targets {
            table.add(target.title, target.limitText, target.seen?.text(target.limit >= 100 ? 0 : 2) ?? "–", target.verdict)
        }
        return table
    }

    var chart: String {
        BarChart(
            panels: [
                BarChart.Panel(
                    title: "No-op tasks a second", hint: "more is better", places: 0,
                    groups: [
                        (
                            "two processes",
                            ["tasks.2", "peer.raw.1", "peer.raw.100", "peer.procrastinate"].compactMap { name in
                                record.results.named(name).flatMap { result in
                                    result.spread { Double($0.bytes) / $0.wallSeconds }.map {
                                        BarChart.Bar(label: result.title, value: $0, isOurs: name.hasPrefix("tasks."))
                                    }
                                }
                            }
                        )
                    ])
            ], caption: record.machine.line
        ).svg()
    }
}
