import ArgumentParser
import Foundation

/// `forecastle bench train`: what a predictor costs a worker.
struct BenchTrain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Measure training and forecasting: series and rows a CPU second, peak memory.",
        discussion: """
            Starts a cluster of its own with one worker of one slot, imports synthetic daily series of each size, and makes \
            predictors and forecasts of them. Counted is the worker's CPU time, with reading, opening and sealing.
            """)

    @OptionGroup var options: BenchOptions

    @Option(name: .customLong("series"), help: "Sizes to measure, ITEMS,DAYS. Repeatable.")
    var sizes: [String] = []

    @Option(help: "Days to predict, 1 to 500.")
    var horizon = 14

    func validate() throws {
        guard (1...500).contains(horizon) else { throw ValidationError("--horizon takes 1 to 500.") }
        for size in sizes {
            guard let series = SyntheticSeries(size), series.days > horizon * 3 else {
                throw ValidationError("--series takes ITEMS,DAYS with more days than three horizons: \(size)")
            }
        }
    }

    private var wanted: [(title: String, series: SyntheticSeries)] {
        let texts = options.quick ? ["3,60"] : sizes.isEmpty ? ["100,365", "100,1460", "1000,365"] : sizes
        return texts.compactMap { text in SyntheticSeries(text).map { ("\($0.items) series of \($0.days) days", $0) } }
    }

    func run() async throws {
        try await CommandFailure.reporting {
            let machine = BenchMachine.current()
            let started = Date()
            let folder = try BenchFolder(below: options.folder, needing: options.quick ? 256 << 20 : 1 << 30)
            defer { folder.delete() }
            let bench = try await BenchCluster.start(
                in: folder, tenants: 1, workers: 1, flags: ["worker": ["--worker-slots=1", "--worker-threads=1"]])
            let outcome: Result<[BenchResult], any Error>
            do {
                outcome = .success(try await measure(bench))
            } catch {
                outcome = .failure(error)
            }
            await bench.stop()
            let record = BenchRecord(
                bench: "train", machine: machine, started: started, peers: [:],
                settings: [
                    "horizon": "\(options.quick ? 7 : horizon)", "repetitions": "\(options.schedule.repetitions)",
                    "warmUps": "\(options.schedule.warmUps)",
                ], results: try outcome.get(), targets: [])
            let report = TrainReport(record: record)
            try options.publish(record, text: report.text, chart: report.chart, part: report.markdown)
        }
    }

    private func measure(_ bench: BenchCluster) async throws -> [BenchResult] {
        var line = ProgressLine(.standardError)
        defer { line.finish() }
        let tenant = bench.tenants[0]
        let access = try await tenant.access("bench")
        var cases: [BenchCase] = []
        for (index, (title, series)) in wanted.enumerated() {
            line.update("importing \(title)", key: "import")
            try series.write(to: bench.bucketFile(Pipeline.file, of: tenant))
            let pipeline = Pipeline(
                bench: bench, tenant: tenant, access: access, tag: "\(index)", horizon: options.quick ? 7 : horizon)
            let group = try await pipeline.importedGroup()
            let trained = Trained(pipeline: pipeline, group: group)
            let size = "\(series.items)x\(series.days)"
            cases += [
                BenchCase(name: "train.rows.\(size)", title: "predictor, \(title)") {
                    try await trained.measure(work: series.items * series.days) { try await trained.train() }
                },
                BenchCase(name: "forecast.rows.\(size)", title: "forecast, \(title)") {
                    try await trained.prepare()
                    return try await trained.measure(work: series.items * series.days) { try await trained.forecast() }
                },
            ]
        }
        return try await options.schedule.run(cases) { done, total, title in
            line.update("\(done + 1)/\(total): \(title)", key: "run")
        }
    }
}

/// Predictors of one dataset group, one after the other, and forecasts of the last.
private actor Trained {
    private let pipeline: Pipeline
    private let group: String
    private var predictor: String?
    private var count = 0

    init(pipeline: Pipeline, group: String) {
        self.pipeline = pipeline
        self.group = group
    }

    /// A predictor for the forecast to be of, where there is none yet.
    func prepare() async throws {
        if predictor == nil { try await train() }
    }

    func train() async throws {
        count += 1
        predictor = try await pipeline.train(group, name: "p_\(pipeline.tag)_\(count)")
    }

    func forecast() async throws {
        count += 1
        guard let predictor else { return }
        var named = pipeline
        named = Pipeline(
            bench: named.bench, tenant: named.tenant, access: named.access, tag: "\(named.tag)_\(count)", horizon: named.horizon)
        _ = try await named.forecast(predictor)
    }

    nonisolated func measure(work: Int, _ body: () async throws -> Void) async throws -> BenchSample {
        let worker = ["worker-1"]
        let before = try pipeline.bench.cpuSeconds(worker)
        let began = ContinuousClock.now
        try await body()
        let wall = began.duration(to: .now) / .seconds(1)
        return BenchSample(
            wallSeconds: wall, cpuSeconds: max(0.01, try pipeline.bench.cpuSeconds(worker) - before), bytes: work,
            peakBytes: try pipeline.bench.peakBytes("worker-1"))
    }
}

/// The record of `forecastle bench train` for people. The work of its samples is rows.
struct TrainReport {
    let record: BenchRecord

    var text: [String] { [record.machine.line, ""] + table.lines.map { "  " + $0 } }

    var markdown: [String] {
        [
            "", "## Training", "", "![Series a CPU second](images/train.svg)", "",
            "\(record.machine.line). One worker of one slot; horizon \(record.settings["horizon"] ?? "?") days. Medians of "
                + "\(record.settings["repetitions"] ?? "?") repetitions (lowest–highest). The peak is the worker's over the whole run.",
            "",
        ] + table.markdown + [""]
    }

    /// Of a name that ends in ITEMSxDAYS.
    private func days(_ result: BenchResult) -> Double {
        result.name.split(separator: "x").last.flatMap { Double($0) } ?? .nan
    }

    private func seriesACPUSecond(_ result: BenchResult) -> Spread? {
        result.spread { $0.bytesPerCPUSecond / days(result) }
    }

    private var table: TextTable {
        var table = TextTable(
            .text("what"), .number("series a CPU second"), .number("rows a CPU second"), .number("seconds"), .number("peak MiB"))
        for result in record.results {
            table.add(
                result.title, seriesACPUSecond(result)?.text(1) ?? "", result.spread(\.bytesPerCPUSecond)?.text(0) ?? "",
                result.spread(\.wallSeconds)?.text(2) ?? "", result.peakBytes.map { "\($0 >> 20)" } ?? "")
        }
        return table
    }

    var chart: String {
        BarChart(
            panels: ["train", "forecast"].map { kind in
                BarChart.Panel(
                    title: kind == "train" ? "Predictor: series a CPU second" : "Forecast: series a CPU second",
                    hint: "more is better", places: 1,
                    groups: [
                        (
                            title: "size",
                            bars: record.results.filter { $0.name.hasPrefix(kind) }.compactMap { result in
                                seriesACPUSecond(result).map {
                                    BarChart.Bar(
                                        label: result.title.replacing("predictor, ", with: "").replacing("forecast, ", with: ""),
                                        value: $0, isOurs: true)
                                }
                            }
                        )
                    ])
            }, caption: record.machine.line
        ).svg()
    }
}
