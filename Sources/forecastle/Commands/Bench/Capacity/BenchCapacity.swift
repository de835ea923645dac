import AWSProtocol
import ArgumentParser
import Foundation
import Logging
import Postgres

/// `forecastle bench capacity`: what a fleet of any size needs, by a model that is checked against a measurement.
struct BenchCapacity: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capacity", abstract: "Compute what 10, 100 and 1,000 workers need, from what one worker and one job use.",
        discussion: """
            Measures on a cluster of its own what an idle worker and a job use of PostgreSQL, authority, Kafka and the object \
            store, predicts from one worker what three use, holds that against what three do use, and writes the table of \
            docs/scaling.md. Records of other benchmarks say how much one process of each kind can do.
            """)

    @OptionGroup var options: BenchOptions

    @Option(help: "Jobs of a measurement.")
    var jobs = 60

    @Option(help: "Seconds of idling that are measured.")
    var idle = 20

    @Option(help: "Seconds that a job of the fleet takes in its slot, for the table.")
    var jobSeconds = 60.0

    @Option(help: "Tasks at once of a worker of the fleet, for the table.")
    var slots = 4

    @Option(help: "Folder with the records of other benchmarks (authority.json, jobs.json, api.json).")
    var records = "docs/performance"

    func validate() throws {
        guard (3...10_000).contains(jobs), (1...600).contains(idle), (0.1...86_400).contains(jobSeconds),
            (1...256).contains(slots)
        else {
            throw ValidationError("--jobs takes 3 to 10000, --idle 1 to 600, --job-seconds 0.1 to 86400, --slots 1 to 256.")
        }
    }

    static let checkedWorkers = 3

    func run() async throws {
        try await CommandFailure.reporting {
            let machine = BenchMachine.current()
            let folder = try BenchFolder(below: options.folder, needing: 512 << 20)
            defer { folder.delete() }
            let bench = try await BenchCluster.start(
                in: folder, tenants: 2, workers: Self.checkedWorkers, flags: ["worker": ["--worker-sweep-ms=1000"]])
            let outcome: Result<CapacityFindings, any Error>
            do {
                outcome = .success(try await measure(bench))
            } catch {
                outcome = .failure(error)
            }
            await bench.stop()
            let report = CapacityReport(
                machine: machine, findings: try outcome.get(), slots: slots, jobSeconds: jobSeconds,
                limits: CapacityLimits(records: records))
            if options.json {
                print(report.json.serializedString)
            } else {
                print(report.text.joined(separator: "\n"))
            }
            if let save = options.save {
                try Data((report.json.serializedString + "\n").utf8).write(to: URL(filePath: save), options: .atomic)
            }
            if let page = options.page {
                let text = (try? String(contentsOfFile: page, encoding: .utf8)) ?? "# Scaling\n"
                let next = MarkdownPart("capacity").replace(in: text, by: report.markdown)
                try Data(next.utf8).write(to: URL(filePath: page), options: .atomic)
            }
        }
    }

    private func measure(_ bench: BenchCluster) async throws -> CapacityFindings {
        var line = ProgressLine(.standardError)
        defer { line.finish() }
        func pool(_ connection: String) -> PostgresPool {
            PostgresPool(
                configuration: .init(connection: connection, applicationName: "forecastle capacity"),
                logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() })
        }
        let (authority, superuser) = (
            pool(bench.cluster.postgres.connection(.authority)), pool(bench.cluster.postgres.superuserConnection)
        )
        defer {
            authority.close()
            superuser.close()
        }
        let meter = CapacityMeter(bench: bench, authority: authority, superuser: superuser)
        let (count, rest): (Int, Duration) = options.quick ? (4, .seconds(1)) : (jobs, .seconds(idle))
        line.update("data and keys", key: "prepare")
        var load: [(Tenant, DemoCustomer.Access)] = []
        guard let series = SyntheticSeries("20,60") else { return CapacityFindings() }
        for tenant in bench.tenants {
            try series.write(to: bench.bucketFile(Pipeline.file, of: tenant))
            load.append((tenant, try await tenant.access("capacity")))
        }
        // Warm: plans, sessions, connections.
        try await run(bench, load, 3, tag: "warm")
        line.update("three workers, idle", key: "idle3")
        let idleOfThree = try await idling(meter, rest)
        line.update("three workers, \(count) jobs", key: "busy3")
        let busyOfThree = try await busy(meter, bench, load, count, tag: "three")
        var findings = CapacityFindings()
        findings.model.workerConnections =
            Double(try await meter.connections("worker")) / Double(Self.checkedWorkers)
        findings.model.apiConnections = Double(try await meter.connections("api"))
        findings.model.authorityConnections = Double(try await meter.connections("authority"))
        for name in ["worker-2", "worker-3"] { try await bench.sendAway(name) }
        line.update("one worker, idle", key: "idle1")
        let idleOfOne = try await idling(meter, rest)
        line.update("one worker, \(count) jobs", key: "busy1")
        let busyOfOne = try await busy(meter, bench, load, count, tag: "one")
        for kind in CapacityReading.kinds {
            let (one, three) = (idleOfOne[kind.name] ?? 0, idleOfThree[kind.name] ?? 0)
            // What is there without any worker (beats of the authority, heads of the trail) is in both.
            let perWorker = max(0, (three - one) / Double(Self.checkedWorkers - 1))
            findings.model.perIdleWorkerSecond[kind.name] = perWorker
            findings.base[kind.name] = max(0, one - perWorker)
            let perJob = max(0, (busyOfOne.used[kind.name] ?? 0) - one * busyOfOne.seconds) / Double(count)
            findings.model.perJob[kind.name] = perJob
            let seconds = busyOfThree.seconds
            findings.checks.append(
                .init(
                    kind: kind.title,
                    predicted: (findings.base[kind.name] ?? 0) * seconds + perWorker * Double(Self.checkedWorkers) * seconds
                        + perJob * Double(count),
                    seen: busyOfThree.used[kind.name] ?? 0))
        }
        findings.model.resourceRowBytes = try await meter.rowBytes("resources", of: bench.jobs)
        findings.model.auditRowBytes = try await meter.rowBytes("audit_records", of: authority)
        findings.jobs = count
        return findings
    }

    private func run(_ bench: BenchCluster, _ load: [(Tenant, DemoCustomer.Access)], _ count: Int, tag: String) async throws {
        // One after the other for each tenant: a dataset takes one import at a time.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, (tenant, access)) in load.enumerated() {
                let own = count / load.count + (index < count % load.count ? 1 : 0)
                group.addTask {
                    let dataset = try await tenant.dataset("capacity_\(tag)", access)
                    for number in 0..<own {
                        let arn = try await tenant.importJob(
                            "\(tag)_\(number)", dataset: dataset, file: Pipeline.file, access)
                        try await bench.succeeded(arn, every: .milliseconds(50))
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// A second, by kind.
    private func idling(_ meter: CapacityMeter, _ rest: Duration) async throws -> [String: Double] {
        let before = try await meter.read()
        try await Task.sleep(for: rest)
        let (used, seconds) = difference(before, try await meter.read())
        return used.mapValues { $0 / seconds }
    }

    private func busy(
        _ meter: CapacityMeter, _ bench: BenchCluster, _ load: [(Tenant, DemoCustomer.Access)], _ count: Int, tag: String
    ) async throws -> (used: [String: Double], seconds: Double) {
        let before = try await meter.read()
        try await run(bench, load, count, tag: tag)
        return difference(before, try await meter.read())
    }

    private func difference(_ before: CapacityReading, _ after: CapacityReading) -> (used: [String: Double], seconds: Double) {
        let used = Dictionary(
            uniqueKeysWithValues: CapacityReading.kinds.map { ($0.name, max(0, $0.value(after) - $0.value(before))) })
        return (used, before.at.duration(to: after.at) / .seconds(1))
    }
}
