/// The record of `forecastle bench authority` for people.
struct AuthorityReport {
    let record: BenchRecord

    private var results: [BenchResult] { record.results }

    var text: [String] {
        [record.machine.line, peers, ""] + table.lines.map { "  " + $0 } + ["", "targets"] + targets.lines.map { "  " + $0 }
    }

    var markdown: [String] {
        [
            "", "![The authority under load](images/authority.svg)", "",
            "\(record.machine.line). \(peers). Load and PostgreSQL on the same cores; every request signed, each record durable before "
                + "its answer. Medians of \(record.settings["repetitions"] ?? "?") runs of \(record.settings["seconds"] ?? "?") s "
                + "(lowest–highest). CPU is the answering process's, database PostgreSQL's.", "",
        ] + targets.markdown + [""] + table.markdown + [""]
    }

    private var peers: String {
        let filling = ["grants", "keys", "records"].compactMap { name in
            record.settings[name].flatMap { $0 == "0" ? nil : "\($0) \(name)" }
        }
        let names = record.peers.values.sorted() + (filling.isEmpty ? [] : ["filled: " + filling.joined(separator: ", ")])
        return names.isEmpty ? "no peers" : names.joined(separator: "; ")
    }

    private var table: TextTable {
        var table = TextTable(
            .text("what"), .number("a second"), .number("p50 ms"), .number("p99 ms"), .number("CPU ms"), .number("database ms"))
        for result in results {
            table.add(
                result.title, result.spread(\.requestsPerSecond)?.text(0) ?? "", result.spread(\.p50Milliseconds)?.text(2) ?? "",
                result.spread(\.p99Milliseconds)?.text(2) ?? "", result.spread(\.cpuMillisecondsPerRequest)?.text(3) ?? "",
                result.spread(\.databaseMillisecondsPerRequest)?.text(3) ?? "")
        }
        return table
    }

    private var targets: TextTable {
        var table = TextTable(.text("what"), .text("target [next]"), .number("seen"), .text("verdict"))
        for target in record.targets {
            table.add(target.title, target.limitText, target.seen?.text(2) ?? "–", target.verdict)
        }
        return table
    }

    var chart: String {
        BarChart(
            panels: [
                panel("Requests a second", hint: "more is better", places: 0, \.requestsPerSecond),
                panel("CPU milliseconds a request", hint: "less is better", places: 3, \.cpuMillisecondsPerRequest),
            ], caption: record.machine.line
        ).svg()
    }

    private func panel(
        _ title: String, hint: String, places: Int, _ figure: (BenchSample) -> Double
    ) -> BarChart.Panel {
        BarChart.Panel(
            title: title, hint: hint, places: places,
            groups: [8, 64].map { count in
                (
                    title: "\(count) connections",
                    bars: results.filter { $0.name.hasSuffix(".\(count)") }.compactMap { result in
                        result.spread(figure).map {
                            BarChart.Bar(
                                label: String(result.title.split(separator: ",").dropLast().joined(separator: ",")), value: $0,
                                isOurs: result.name.contains(".ours.") || result.name.contains(".filled."))
                        }
                    }
                )
            })
    }
}
