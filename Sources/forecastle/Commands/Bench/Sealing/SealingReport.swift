import Envelope
import Foundation

/// The record of `forecastle bench seal` for people: tables on the terminal, a part of `docs/performance.md`, a chart.
struct SealingReport {
    let record: BenchRecord

    private var results: [BenchResult] { record.results }

    var text: [String] {
        var lines = [record.machine.line, peers, ""]
        for (title, table) in tables {
            lines += [title] + table.lines.map { "  " + $0 } + [""]
        }
        lines.append("targets")
        lines += targets.lines.map { "  " + $0 }
        return lines
    }

    var markdown: [String] {
        var lines = ["", "![Sealing and opening beside other tools](images/envelope.svg)", ""]
        lines += [
            "\(record.machine.line). \(peers). Medians of \(record.settings["repetitions"] ?? "?") repetitions (lowest–highest).",
            "",
        ]
        lines += targets.markdown + [""]
        for (title, table) in tables { lines += ["### \(title)", ""] + table.markdown + [""] }
        return lines
    }

    private var peers: String {
        record.peers.isEmpty ? "no peers" : record.peers.sorted { $0.key < $1.key }.map(\.value).joined(separator: ", ")
    }

    private var tables: [(String, TextTable)] {
        var tables: [(String, TextTable)] = []
        let memory = results.filter { $0.name.hasPrefix("memory.") }
        if !memory.isEmpty {
            var table = TextTable(.text("in memory"), .number("GB a CPU second"), .number("GB/s"))
            for result in memory {
                table.add(
                    result.title, gigabytes(result, \.bytesPerCPUSecond),
                    result.name.contains("openssl speed") ? "" : gigabytes(result, \.bytesPerSecond))
            }
            tables.append(("In memory", table))
        }
        for (prefix, title) in [
            ("file.", "File to file"), ("sdk.", "Beside the Python SDK"), ("pipe.", "Pipe to pipe"), ("range.", "Ranges"),
        ] {
            let some = results.filter { $0.name.hasPrefix(prefix) }
            guard !some.isEmpty else { continue }
            var table = TextTable(
                .text("program"), .number("CPU s/GiB"), .number("seconds"), .number("GB/s"), .number("peak MiB"))
            for result in some {
                table.add(
                    result.title, result.spread(\.cpuSecondsPerGiB)?.text(2) ?? "", result.spread(\.wallSeconds)?.text(2) ?? "",
                    gigabytes(result, \.bytesPerSecond),
                    result.peakBytes.map { Amount.decimals(Double($0) / Double(1 << 20), 0) } ?? "")
            }
            tables.append((title, table))
        }
        return tables
    }

    private func gigabytes(_ result: BenchResult, _ figure: (BenchSample) -> Double) -> String {
        result.spread { figure($0) / 1e9 }?.text(2) ?? ""
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
                BarChart.Panel(
                    title: "In memory, one core: GB a CPU second", hint: "more is better", places: 1,
                    groups: SealingInMemory.standardFrameBytes.map { frame in
                        (
                            "frames of \(SealingInMemory.size(frame))",
                            bars(memoryBars(frame)) { $0.bytesPerCPUSecond / 1e9 }
                        )
                    }),
                BarChart.Panel(
                    title: "File to file: CPU seconds for 1 GiB", hint: "less is better", places: 2,
                    groups: [
                        ("copy", bars([("file.copy.cp", "cp")], \.cpuSecondsPerGiB)),
                        ("seal", bars(programBars("seal"), \.cpuSecondsPerGiB)),
                        ("open", bars(programBars("open"), \.cpuSecondsPerGiB)),
                    ]),
            ], caption: record.machine.line
        ).svg()
    }

    private func memoryBars(_ frame: Int) -> [(String, String)] {
        let name = SealingInMemory.name
        var bars = [(name("speed", "openssl", frame, false), "openssl speed")]
        for backend in SealingInMemory.backends {
            bars.append((name("seal", backend.name, frame, false), "seal, \(backend.name)"))
            bars.append((name("open", backend.name, frame, false), "open, \(backend.name)"))
        }
        return bars
    }

    private func programBars(_ what: String) -> [(String, String)] {
        [
            ("file.\(what).forecastle", "forecastle"), ("file.\(what).age", "age"),
            ("sdk.\(what).forecastle", "forecastle, 1 MiB frames"), ("sdk.\(what).python", "Python SDK, 1 MiB frames"),
        ]
    }

    private func bars(_ names: [(String, String)], _ figure: (BenchSample) -> Double) -> [BarChart.Bar] {
        names.compactMap { name, label in
            results.named(name)?.spread(figure).map {
                BarChart.Bar(
                    label: label, value: $0,
                    isOurs: !["cp", "age", "openssl speed"].contains(label) && !label.hasPrefix("Python"))
            }
        }
    }
}
