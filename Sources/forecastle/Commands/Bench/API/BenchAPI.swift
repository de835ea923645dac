import AWSProtocol
import ArgumentParser
import Foundation
import Postgres

/// `forecastle bench api`: the Forecast API under load, with many resources in its tables.
struct BenchAPI: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "api", abstract: "Measure the Forecast API: jobs accepted a second, Describe, List and QueryForecast.",
        discussion: """
            Starts a cluster of its own, makes one of everything through the API, copies the dataset in the tables until \
            there are --resources of them, and asks. Every request is signed and decided by the authority; while jobs are \
            accepted no worker runs, so that they stay where they are.
            """)

    @OptionGroup var options: BenchOptions

    @Option(help: "Resources in the tables, 1,000 to 10,000,000.")
    var resources = 100_000

    @Option(help: "Connections, 1 to 256.")
    var connections = 8

    @Option(help: "Seconds of a run.")
    var seconds = 5.0

    @Option(help: "Items of the forecast that is asked, 1 to 100,000.")
    var items = 200

    func validate() throws {
        guard (1_000...10_000_000).contains(resources), (1...256).contains(connections), (0.2...600).contains(seconds),
            (1...100_000).contains(items)
        else {
            throw ValidationError(
                "--resources takes 1000 to 10000000, --connections 1 to 256, --seconds 0.2 to 600, --items 1 to 100000.")
        }
    }

    func run() async throws {
        try await CommandFailure.reporting {
            let machine = BenchMachine.current()
            let started = Date()
            let folder = try BenchFolder(below: options.folder, needing: options.quick ? 256 << 20 : 2 << 30)
            defer { folder.delete() }
            let bench = try await BenchCluster.start(in: folder, tenants: 1, workers: 1)
            let outcome: Result<[BenchResult], any Error>
            do {
                outcome = .success(try await measure(bench))
            } catch {
                outcome = .failure(error)
            }
            await bench.stop()
            let results = try outcome.get()
            let record = BenchRecord(
                bench: "api", machine: machine, started: started, peers: [:],
                settings: [
                    "resources": "\(count)", "connections": "\(connections)", "seconds": "\(duration)",
                    "repetitions": "\(options.schedule.repetitions)", "warmUps": "\(options.schedule.warmUps)",
                ], results: results, targets: APIReport.targets(results))
            let report = APIReport(record: record)
            try options.publish(record, text: report.text, chart: report.chart, part: report.markdown)
        }
    }

    private var count: Int { options.quick ? 1_000 : resources }
    private var duration: Double { options.quick ? 0.4 : seconds }

    private func measure(_ bench: BenchCluster) async throws -> [BenchResult] {
        var line = ProgressLine(.standardError)
        defer { line.finish() }
        line.update("a forecast to be asked", key: "forecast")
        let tenant = bench.tenants[0]
        let access = try await tenant.access("bench")
        guard let series = SyntheticSeries("\(options.quick ? 3 : items),60") else { return [] }
        try series.write(to: bench.bucketFile(Pipeline.file, of: tenant))
        let pipeline = Pipeline(bench: bench, tenant: tenant, access: access, tag: "api", horizon: 7)
        let forecast = try await pipeline.forecast(try await pipeline.train(try await pipeline.importedGroup()))
        let template = try await tenant.dataset("template", access)
        line.update("\(count) resources", key: "fill")
        try await Resources(bench: bench, template: template).fill(count)
        try await bench.sendAway("worker-1")

        let credentials = try CredentialsFile(path: bench.cluster.folder.credentials + "/admin.json").read()
        let port = bench.cluster.apiPort
        let generator = LoadGenerator(
            port: port,
            signer: LoadSigner(credentials: credentials, region: bench.values.string("region"), port: port))
        let (connections, duration, count) = (connections, duration, count)
        let (api, database) = (try bench.pid("api"), try bench.pid("postgres"))
        let accepted = AcceptedDatasets(tenant: tenant, access: access, template: template, count: count)
        func load(_ name: String, _ title: String, _ script: @escaping @Sendable (Int) -> any LoadScript) -> BenchCase {
            BenchCase(name: name, title: title) {
                let window = ProcessTimeWindow(process: api, database: database)
                let outcome = try await generator.run(
                    connections: connections, seconds: duration, script: script, onWindow: { window.mark(isStart: $0) })
                return BenchSample(
                    wallSeconds: outcome.wallSeconds, cpuSeconds: window.seconds, bytes: 0,
                    requests: outcome.figures(databaseCPUSeconds: window.databaseSeconds))
            }
        }
        let item = SyntheticSeries.itemName(0)
        return try await options.schedule.run([
            load("api.accept", "CreateDatasetImportJob") { _ in accepted.script() },
            load("api.describe", "DescribeDataset") { connection in
                DescribeAtRandom(template: template, count: count, state: UInt64(connection) &+ 1)
            },
            load("api.list", "ListDatasets, 100 of a page") { _ in
                RepeatedCall(call: .forecast("ListDatasets", ["MaxResults": 100]))
            },
            load("api.query", "QueryForecast, one item") { _ in
                RepeatedCall(
                    call: .forecastQuery(
                        "QueryForecast", ["ForecastArn": .string(forecast), "Filters": ["item_id": .string(item)]]))
            },
        ]) { done, total, title in
            line.update("\(done + 1)/\(total): \(title)", key: "run")
        }
    }
}

/// Copies of one dataset in the tables: what a hundred thousand calls would have made.
private struct Resources {
    let bench: BenchCluster
    let template: String

    static func arn(_ template: String, _ number: Int) -> String { template + "_\(number)" }

    func fill(_ count: Int) async throws {
        try await bench.jobs.execute(
            """
            INSERT INTO resources (arn, account, type, name, incarnation, status, parent_arn, request, attributes, key_arn,
                                   role_arn, created_at)
            SELECT r.arn || '_' || n, account, type, name || '_' || n, gen_random_uuid(), status, parent_arn,
                   replace(request, '"' || name || '"', '"' || name || '_' || n || '"'), attributes, key_arn, role_arn,
                   created_at - n * interval '1 second'
            FROM resources r CROSS JOIN generate_series(0, \(count - 1)) AS n WHERE r.arn = \(template)
            """)
        try await bench.jobs.execute("ANALYZE resources")
    }
}

/// Imports into one dataset after the other: each takes one at a time.
private final class AcceptedDatasets: Sendable {
    private let tenant: Tenant
    private let access: DemoCustomer.Access
    private let template: String
    private let count: Int
    private let next = TakenNumbers()

    init(tenant: Tenant, access: DemoCustomer.Access, template: String, count: Int) {
        self.tenant = tenant
        self.access = access
        self.template = template
        self.count = count
    }

    struct Script: LoadScript {
        let datasets: AcceptedDatasets
        mutating func next(after answer: LoadAnswer?) throws -> LoadCall { try datasets.call() }
    }

    func script() -> Script { Script(datasets: self) }

    private func call() throws -> LoadCall {
        let number = next.take()
        guard number < count else {
            throw CommandFailure("Every dataset has its import; take more --resources or fewer --seconds.", .failure)
        }
        return .forecast(
            "CreateDatasetImportJob",
            tenant.importRequest("load", dataset: Resources.arn(template, number), file: Pipeline.file, access))
    }
}

/// Describes datasets all over the table.
private struct DescribeAtRandom: LoadScript {
    let template: String
    let count: Int
    var state: UInt64

    mutating func next(after answer: LoadAnswer?) -> LoadCall {
        // Knuth's multiplier for 64 bits.
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let number = Int(state >> 33) % count
        return .forecast("DescribeDataset", ["DatasetArn": .string(Resources.arn(template, number))])
    }
}

/// The record of `forecastle bench api` for people.
struct APIReport {
    let record: BenchRecord

    static func targets(_ results: [BenchResult]) -> [BenchTarget] {
        let accept = results.named("api.accept")
        var targets = [
            BenchTarget(
                title: "CreateDatasetImportJob accepted", relation: .atLeast, limit: 1000, unit: "a second",
                seen: accept?.spread(\.requestsPerSecond)),
            BenchTarget(
                title: "CreateDatasetImportJob, p99", relation: .atMost, limit: 50, unit: "ms",
                seen: accept?.spread(\.p99Milliseconds)),
        ]
        for (name, title) in [("describe", "Describe"), ("list", "List"), ("query", "QueryForecast")] {
            targets.append(
                BenchTarget(
                    title: "\(title), p99", relation: .atMost, limit: 20, unit: "ms",
                    seen: results.named("api.\(name)")?.spread(\.p99Milliseconds)))
        }
        return targets
    }

    var text: [String] {
        [record.machine.line, about, ""] + table.lines.map { "  " + $0 } + ["", "targets"] + targets.lines.map { "  " + $0 }
    }

    var markdown: [String] {
        [
            "", "## The Forecast API", "", "![The API under load](images/api.svg)", "",
            "\(record.machine.line). \(about) Load, authority and PostgreSQL on the same cores; every request signed and decided by the "
                + "authority. Medians of \(record.settings["repetitions"] ?? "?") runs (lowest–highest). CPU is the API's, database "
                + "PostgreSQL's of both databases.", "",
        ] + targets.markdown + [""] + table.markdown + [""]
    }

    private var about: String {
        "\(record.settings["resources"] ?? "?") resources, \(record.settings["connections"] ?? "?") connections."
    }

    private var table: TextTable {
        var table = TextTable(
            .text("what"), .number("a second"), .number("p50 ms"), .number("p99 ms"), .number("CPU ms"), .number("database ms"))
        for result in record.results {
            table.add(
                result.title, result.spread(\.requestsPerSecond)?.text(0) ?? "", result.spread(\.p50Milliseconds)?.text(2) ?? "",
                result.spread(\.p99Milliseconds)?.text(2) ?? "", result.spread(\.cpuMillisecondsPerRequest)?.text(3) ?? "",
                result.spread(\.databaseMillisecondsPerRequest)?.text(3) ?? "")
        }
        return table
    }

    private var targets: TextTable {
        var table = TextTable(.text("what"), .text("target"), .number("seen"), .text("verdict"))
        for target in record.targets { table.add(target.title, target.limitText, target.seen?.text(1) ?? "–", target.verdict) }
        return table
    }

    var chart: String {
        BarChart(
            panels: [
                panel("Requests a second", "more is better", 0, \.requestsPerSecond),
                panel("99th percentile, ms", "less is better", 1, \.p99Milliseconds),
            ], caption: record.machine.line
        ).svg()
    }

    private func panel(_ title: String, _ hint: String, _ places: Int, _ figure: (BenchSample) -> Double) -> BarChart.Panel {
        BarChart.Panel(
            title: title, hint: hint, places: places,
            groups: [
                (
                    title: "\(record.settings["connections"] ?? "?") connections",
                    bars: record.results.compactMap { result in
                        result.spread(figure).map { BarChart.Bar(label: result.title, value: $0, isOurs: true) }
                    }
                )
            ])
    }
}
