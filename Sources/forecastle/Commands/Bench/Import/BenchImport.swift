import AWSProtocol
import ArgumentParser
import Foundation

/// `forecastle bench import`: CSV in a bucket to sealed chunks, by one worker and by two, beside tools that write Parquet.
struct BenchImport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Measure imports: MB of CSV a CPU second, peak memory, one worker and two.",
        discussion: """
            Starts a cluster of its own and removes it. Counted is the workers' CPU time; what API, authority and PostgreSQL \
            use is in `bench cluster`. deploy/bench-import installs the peers and writes docs/performance.md.
            """)

    @OptionGroup var options: BenchOptions

    @Option(help: "Size of the CSV file in MiB, 1 to 65536.")
    var mebibytes = 256

    @Option(help: "Python interpreter with pyarrow or duckdb.")
    var python: String?

    func validate() throws {
        guard (1...65_536).contains(mebibytes) else { throw ValidationError("--mebibytes takes 1 to 65536.") }
    }

    private static let days = 1000
    /// Of a row of the synthetic file, as a rule.
    private static let rowBytes = 34

    func run() async throws {
        try await CommandFailure.reporting {
            let machine = BenchMachine.current()
            let started = Date()
            let size = (options.quick ? 2 : mebibytes) << 20
            let folder = try BenchFolder(below: options.folder, needing: size * 6 + (256 << 20))
            defer { folder.delete() }
            let peers = try await ImportPeers.find(python: python, folder: folder)
            // One slot each, and tasks small enough that two workers end together.
            let bench = try await BenchCluster.start(
                in: folder, tenants: 1, workers: 2,
                flags: ["worker": ["--worker-slots=1", "--worker-task-bytes=\(max(65_536, size / 16))"]])
            let outcome: Result<(bytes: Int, results: [BenchResult]), any Error>
            do {
                outcome = .success(try await measure(bench, size, peers, folder))
            } catch {
                outcome = .failure(error)
            }
            await bench.stop()
            let (bytes, results) = try outcome.get()
            let record = BenchRecord(
                bench: "import", machine: machine, started: started, peers: peers.versions,
                settings: [
                    "bytes": "\(bytes)", "repetitions": "\(options.schedule.repetitions)",
                    "warmUps": "\(options.schedule.warmUps)",
                ], results: results, targets: ImportReport.targets(results))
            let report = ImportReport(record: record)
            try options.publish(record, text: report.text, chart: report.chart, part: report.markdown)
        }
    }

    private func measure(
        _ bench: BenchCluster, _ size: Int, _ peers: ImportPeers, _ folder: BenchFolder
    ) async throws -> (bytes: Int, results: [BenchResult]) {
        var line = ProgressLine(.standardError)
        defer { line.finish() }
        line.update("writing the file", key: "file")
        let tenant = bench.tenants[0]
        let input = bench.bucketFile(Pipeline.file, of: tenant)
        guard let series = SyntheticSeries("\(max(1, size / (Self.rowBytes * Self.days))),\(Self.days)") else {
            throw CommandFailure("There are no series of that size.", .validationFailure)
        }
        try series.write(to: input)
        let bytes = (try FileManager.default.attributesOfItem(atPath: input)[.size] as? Int) ?? 0
        let access = try await tenant.access("bench")
        let importer = Importer(bench: bench, tenant: tenant, access: access, bytes: bytes)
        let cases =
            [
                BenchCase(name: "import.1", title: "import, one worker") { try await importer.run(workers: 1) },
                BenchCase(name: "import.2", title: "import, two workers") { try await importer.run(workers: 2) },
                BenchCase(name: "import.wc", title: "wc -l (floor)") {
                    try await MeasuredProcess(executable: "/usr/bin/wc", arguments: ["-l", input], log: folder.file("log")).run()
                        .sample(bytes: bytes)
                },
            ] + peers.cases(input: input, bytes: bytes, folder: folder)
        let results = try await options.schedule.run(cases) { done, total, title in
            line.update("\(done + 1)/\(total): \(title)", key: "run")
        }
        return (bytes, results)
    }
}

/// Imports of the same file, one after the other, each into a dataset of its own.
private actor Importer {
    private let bench: BenchCluster
    private let tenant: Tenant
    private let access: DemoCustomer.Access
    private let bytes: Int
    private var count = 0
    private var isAlone = false

    init(bench: BenchCluster, tenant: Tenant, access: DemoCustomer.Access, bytes: Int) {
        self.bench = bench
        self.tenant = tenant
        self.access = access
        self.bytes = bytes
    }

    func run(workers: Int) async throws -> BenchSample {
        if workers == 1, !isAlone { try await bench.sendAway("worker-2") }
        if workers == 2, isAlone { try await bench.bringBack("worker-2") }
        isAlone = workers == 1
        count += 1
        let dataset = try await tenant.dataset("import_\(count)", access)
        let names = Array(bench.workerNames.prefix(workers))
        let before = try bench.cpuSeconds(names)
        let began = ContinuousClock.now
        let arn = try await tenant.importJob("import", dataset: dataset, file: Pipeline.file, access)
        try await bench.succeeded(arn)
        let wall = began.duration(to: .now) / .seconds(1)
        let cpu = try bench.cpuSeconds(names) - before
        let peak = try names.map { try bench.peakBytes($0) }.max()
        // So that the disk holds one at a time.
        _ = try await tenant.client.call(.forecast, "DeleteDatasetImportJob", ["DatasetImportJobArn": .string(arn)])
        return BenchSample(wallSeconds: wall, cpuSeconds: max(cpu, 0.01), bytes: bytes, peakBytes: peak)
    }
}

/// The record of `forecastle bench import` for people.
struct ImportReport {
    let record: BenchRecord

    private static func megabytesACPUSecond(_ sample: BenchSample) -> Double { sample.bytesPerCPUSecond / 1e6 }
    private static func megabytesASecond(_ sample: BenchSample) -> Double { sample.bytesPerSecond / 1e6 }

    static func targets(_ results: [BenchResult]) -> [BenchTarget] {
        [
            BenchTarget(
                title: "import, one worker", relation: .atLeast, limit: 200, next: 350, unit: "MB of CSV a CPU second",
                seen: results.named("import.1")?.spread(megabytesACPUSecond)),
            BenchTarget(
                title: "import alone, against DuckDB with GROUP BY", relation: .atLeast, limit: 3, unit: "× MB a CPU second",
                seen: results.ratio("import.1", to: "import.duckdb-group", of: \.bytesPerCPUSecond)),
            BenchTarget(
                title: "two workers (idle machine)", relation: .atLeast, limit: 1.8, unit: "× one",
                seen: results.ratio("import.2", to: "import.1", of: \.bytesPerSecond)),
            BenchTarget(
                title: "peak memory of a worker", relation: .atMost, limit: 512, unit: "MiB",
                seen: Spread(
                    ["import.1", "import.2"].compactMap { results.named($0)?.peakBytes }.map { Double($0) / 1_048_576 })),
        ]
    }

    var text: [String] {
        [record.machine.line, peers, ""] + table.lines.map { "  " + $0 } + ["", "targets"] + targets.lines.map { "  " + $0 }
    }

    var markdown: [String] {
        [
            "", "## Import", "", "![Imports beside other tools](images/import.svg)", "",
            "\(record.machine.line). \(peers). \(size) of `item_id,timestamp,target_value`. Medians of "
                + "\(record.settings["repetitions"] ?? "?") repetitions (lowest–highest). Ours is the workers' CPU time from "
                + "CreateDatasetImportJob to ACTIVE; peers are whole processes.", "",
        ] + targets.markdown + [""] + table.markdown + [""]
    }

    private var size: String { Amount.bytes(Int64(record.settings["bytes"] ?? "") ?? 0) }
    private var peers: String {
        record.peers.isEmpty ? "No peers" : record.peers.sorted { $0.key < $1.key }.map(\.value).joined(separator: ", ")
    }

    private var table: TextTable {
        var table = TextTable(.text("what"), .number("MB a CPU second"), .number("MB/s"), .number("peak MiB"))
        for result in record.results {
            table.add(
                result.title, result.spread(Self.megabytesACPUSecond)?.text(0) ?? "",
                result.spread(Self.megabytesASecond)?.text(0) ?? "", result.peakBytes.map { "\($0 >> 20)" } ?? "")
        }
        return table
    }

    private var targets: TextTable {
        var table = TextTable(.text("what"), .text("target [next]"), .number("seen"), .text("verdict"))
        for target in record.targets { table.add(target.title, target.limitText, target.seen?.text(2) ?? "–", target.verdict) }
        return table
    }

    var chart: String {
        BarChart(
            panels: [
                BarChart.Panel(
                    title: "MB of CSV a CPU second", hint: "more is better", places: 0,
                    groups: [
                        (
                            title: size,
                            bars: record.results.filter { $0.name != "import.wc" }.compactMap { result in
                                result.spread(Self.megabytesACPUSecond).map {
                                    BarChart.Bar(
                                        label: result.title.replacing(", no aggregation", with: ""), value: $0,
                                        isOurs: ["import.1", "import.2"].contains(result.name))
                                }
                            }
                        )
                    ])
            ], caption: record.machine.line
        ).svg()
    }
}
