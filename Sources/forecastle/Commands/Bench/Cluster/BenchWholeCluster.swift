import ArgumentParser
import Foundation

/// `forecastle bench cluster`: whole pipelines of many tenants.
struct BenchWholeCluster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Measure whole pipelines: import, predictor, forecast, query, of many tenants at once.",
        discussion: """
            Starts a cluster of its own (PostgreSQL with fsync, broker, authority, API, workers), and removes it. Every tenant \
            has an account, a role and a key of its own. A repetition is all pipelines of all tenants.
            """)

    @OptionGroup var options: BenchOptions

    @Option(help: "Tenants, 1 to 1000.")
    var tenants = 8

    @Option(help: "Worker processes, 1 to 64.")
    var workers = 2

    @Option(help: "Tasks at once of a worker, 1 to 256.")
    var slots = 2

    @Option(help: "Pipelines of a tenant in a repetition, 1 to 100.")
    var pipelines = 1

    @Option(help: "Series of a pipeline and their days: ITEMS,DAYS.")
    var series = "50,400"

    @Option(help: "Pipelines begun a minute; 0: all at once.")
    var rate = 0

    func validate() throws {
        guard (1...1000).contains(tenants), (1...64).contains(workers), (1...256).contains(slots),
            (1...100).contains(pipelines), (0...100_000).contains(rate)
        else {
            throw ValidationError(
                "--tenants takes 1 to 1000, --workers 1 to 64, --slots 1 to 256, --pipelines 1 to 100, --rate 0 to 100000.")
        }
        guard SyntheticSeries(series) != nil else { throw ValidationError("--series takes ITEMS,DAYS.") }
    }

    private var horizon: Int { 7 }
    private var sizes: (tenants: Int, series: String) { options.quick ? (2, "3,60") : (tenants, series) }

    func run() async throws {
        try await CommandFailure.reporting {
            let machine = BenchMachine.current()
            let started = Date()
            let folder = try BenchFolder(below: options.folder, needing: options.quick ? 256 << 20 : 2 << 30)
            defer { folder.delete() }
            let bench = try await BenchCluster.start(
                in: folder, tenants: sizes.tenants, workers: workers, flags: ["worker": ["--worker-slots=\(slots)"]])
            let outcome: Result<[BenchResult], any Error>
            do {
                outcome = .success(try await measure(bench))
            } catch {
                outcome = .failure(error)
            }
            await bench.stop()
            let record = BenchRecord(
                bench: "cluster", machine: machine, started: started, peers: [:],
                settings: [
                    "tenants": "\(sizes.tenants)", "workers": "\(workers)", "slots": "\(slots)", "series": sizes.series,
                    "pipelines": "\(pipelines)", "rate": "\(rate)", "repetitions": "\(options.schedule.repetitions)",
                    "warmUps": "\(options.schedule.warmUps)",
                ], results: try outcome.get(), targets: [])
            let report = ClusterReport(record: record)
            try options.publish(record, text: report.text, chart: report.chart, part: report.markdown)
        }
    }

    private func measure(_ bench: BenchCluster) async throws -> [BenchResult] {
        guard let series = SyntheticSeries(sizes.series) else { return [] }
        var line = ProgressLine(.standardError)
        defer { line.finish() }
        line.update("data and keys of \(sizes.tenants) tenants", key: "prepare")
        var accesses: [DemoCustomer.Access] = []
        for tenant in bench.tenants {
            try series.write(to: bench.bucketFile(Pipeline.file, of: tenant))
            accesses.append(try await tenant.access("bench"))
        }
        var whole = BenchResult(name: "cluster.all", title: "all pipelines")
        var each = BenchResult(name: "cluster.pipeline", title: "one pipeline among them")
        var parts = bench.processNames.map { BenchResult(name: "process.\($0)", title: $0) }
        let schedule = options.schedule
        for round in 0..<(schedule.warmUps + schedule.repetitions) {
            line.update("round \(round + 1)/\(schedule.warmUps + schedule.repetitions)", key: "round")
            let before = try bench.processNames.map { try bench.cpuSeconds([$0]) }
            let began = ContinuousClock.now
            let seconds = try await run(bench, accesses, round: round)
            let wall = began.duration(to: .now) / .seconds(1)
            guard round >= schedule.warmUps else { continue }
            let used = try zip(bench.processNames, before).map { try bench.cpuSeconds([$0]) - $1 }
            whole.samples.append(
                BenchSample(wallSeconds: wall, cpuSeconds: used.reduce(0, +), bytes: seconds.count * Pipeline.jobs))
            each.samples += seconds.map { BenchSample(wallSeconds: $0, cpuSeconds: 0, bytes: 1) }
            for (index, name) in bench.processNames.enumerated() {
                parts[index].samples.append(
                    BenchSample(
                        wallSeconds: wall, cpuSeconds: used[index], bytes: seconds.count, peakBytes: try bench.peakBytes(name)))
            }
        }
        return [whole, each] + parts
    }

    /// Seconds of every pipeline.
    private func run(_ bench: BenchCluster, _ accesses: [DemoCustomer.Access], round: Int) async throws -> [Double] {
        try await withThrowingTaskGroup(of: Double.self) { group in
            let horizon = horizon
            for (index, tenant) in bench.tenants.enumerated() {
                for number in 0..<pipelines {
                    let pipeline = Pipeline(
                        bench: bench, tenant: tenant, access: accesses[index], tag: "\(round)_\(number)", horizon: horizon)
                    let place = number * bench.tenants.count + index
                    let pause: Duration = rate == 0 ? .zero : .seconds(Double(place) * 60 / Double(rate))
                    group.addTask {
                        try await Task.sleep(for: pause)
                        let began = ContinuousClock.now
                        try await pipeline.run()
                        return began.duration(to: .now) / .seconds(1)
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}

/// The record of `forecastle bench cluster` for people.
struct ClusterReport {
    let record: BenchRecord

    var text: [String] {
        [record.machine.line, about, ""] + table.lines.map { "  " + $0 } + [""] + processes.lines.map { "  " + $0 }
    }

    var markdown: [String] {
        [
            "", "## Whole pipelines", "", "![CPU time of a pipeline by process](images/cluster.svg)", "",
            "\(record.machine.line). \(about) Medians of \(record.settings["repetitions"] ?? "?") repetitions (lowest–highest).",
            "",
        ] + table.markdown + [""] + processes.markdown + [""]
    }

    private var about: String {
        func setting(_ name: String) -> String { record.settings[name] ?? "?" }
        return "\(setting("tenants")) tenants with \(setting("pipelines")) pipelines each (import, predictor, forecast, query; "
            + "series and days: \(setting("series"))), \(setting("workers")) workers of \(setting("slots")) slots, "
            + (setting("rate") == "0" ? "all at once." : "\(setting("rate")) begun a minute.")
    }

    private var table: TextTable {
        var table = TextTable(.text("what"), .number("seen"))
        let whole = record.results.named("cluster.all")
        table.add("seconds, all pipelines", whole?.spread(\.wallSeconds)?.text(1) ?? "–")
        table.add("jobs a second", whole?.spread(\.bytesPerSecond)?.text(2) ?? "–")
        table.add("CPU seconds a job", whole?.spread { $0.cpuSeconds / Double($0.bytes) }?.text(3) ?? "–")
        table.add(
            "seconds, one pipeline among them", record.results.named("cluster.pipeline")?.spread(\.wallSeconds)?.text(1) ?? "–")
        return table
    }

    private var parts: [BenchResult] { record.results.filter { $0.name.hasPrefix("process.") } }

    private var processes: TextTable {
        var table = TextTable(.text("process"), .number("CPU seconds a pipeline"), .number("peak MiB"))
        for part in parts {
            table.add(
                part.title, part.spread { $0.cpuSeconds / Double($0.bytes) }?.text(3) ?? "–",
                part.peakBytes.map { "\($0 >> 20)" } ?? "–")
        }
        return table
    }

    var chart: String {
        BarChart(
            panels: [
                BarChart.Panel(
                    title: "CPU seconds of one pipeline, by process", hint: "less is better", places: 3,
                    groups: [
                        (
                            title: "process",
                            bars: parts.compactMap { part in
                                part.spread { $0.cpuSeconds / Double($0.bytes) }.map {
                                    BarChart.Bar(
                                        label: part.title, value: $0, isOurs: !["postgres", "broker"].contains(part.title))
                                }
                            }
                        )
                    ])
            ], caption: record.machine.line
        ).svg()
    }
}
