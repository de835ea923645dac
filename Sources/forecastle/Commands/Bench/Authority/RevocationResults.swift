/// What `forecastle bench revocation` found, by kind of withdrawal.
struct RevocationResults: Sendable {
    struct Finding: Sendable {
        let use: RevocationWatch.Finding
        let toldLossSeconds: Double
        let untoldLossSeconds: Double
    }

    private var findings: [RevocationAct: [Finding]] = [:]

    mutating func add(_ act: RevocationAct, _ finding: Finding) { findings[act, default: []].append(finding) }

    private var all: [Finding] { findings.values.flatMap(\.self) }

    /// Each withdrawal as a sample whose wall time is the one in question.
    var results: [BenchResult] {
        RevocationAct.allCases.flatMap { act in
            [
                result("use.\(act)", "\(act.rawValue), last use at the other process", act) { $0.use.lastSuccessSeconds },
                result("told.\(act)", "\(act.rawValue), key lease that hears", act, \.toldLossSeconds),
                result("untold.\(act)", "\(act.rawValue), key lease that only renews", act, \.untoldLossSeconds),
            ]
        }
    }

    private func result(
        _ name: String, _ title: String, _ act: RevocationAct, _ seconds: (Finding) -> Double
    ) -> BenchResult {
        var result = BenchResult(name: name, title: title)
        result.samples = (findings[act] ?? []).map {
            BenchSample(wallSeconds: seconds($0), cpuSeconds: 0, bytes: 1)
        }
        return result
    }

    var table: TextTable {
        var table = TextTable(
            .text("withdrawn at one process"), .number("used at another after the reply"), .number("last answer ms, p50 / max"),
            .number("lease, announced ms, p50 / max"), .number("lease, beat alone ms, p50 / max"))
        for act in RevocationAct.allCases {
            let found = findings[act] ?? []
            table.add(
                act.rawValue, "\(found.map(\.use.violations).reduce(0, +))", Self.text(found.map(\.use.lastSuccessSeconds)),
                Self.text(found.map(\.toldLossSeconds)), Self.text(found.map(\.untoldLossSeconds)))
        }
        return table
    }

    private static func text(_ seconds: [Double]) -> String {
        guard let spread = Spread(seconds) else { return "–" }
        return "\(Amount.decimals(spread.median * 1000, 1)) / \(Amount.decimals(spread.high * 1000, 1))"
    }

    var targets: [BenchTarget] {
        [
            BenchTarget(
                title: "uses at another process that began after the reply", relation: .atMost, limit: 0, unit: "",
                seen: Spread(all.isEmpty ? [] : [Double(all.map(\.use.violations).reduce(0, +))])),
            BenchTarget(
                title: "key lease with announcement, p99", relation: .atMost, limit: 250, next: 50, unit: "ms",
                seen: Self.p99(all.map(\.toldLossSeconds))),
            BenchTarget(
                title: "key lease by its beat alone, p99", relation: .atMost, limit: 4000, unit: "ms",
                seen: Self.p99(all.map(\.untoldLossSeconds))),
        ]
    }

    private static func p99(_ seconds: [Double]) -> Spread? {
        let sorted = seconds.sorted()
        return Spread(sorted.isEmpty ? [] : [sorted[min(sorted.count - 1, sorted.count * 99 / 100)] * 1000])
    }

    var targetTable: TextTable {
        var table = TextTable(.text("what"), .text("target [next]"), .number("seen"), .text("verdict"))
        for target in targets { table.add(target.title, target.limitText, target.seen?.text(1) ?? "–", target.verdict) }
        return table
    }
}
