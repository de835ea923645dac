import ArgumentParser
import Foundation
import Postgres

/// `forecastle bench authority`: KMS and STS under load, with signatures, policies and durable records, beside moto's server, the bare
/// HTTP edge and PostgreSQL's commits.
struct BenchAuthority: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "authority",
        abstract: "Measure GenerateDataKey, Decrypt, grants and AssumeRole under load.",
        discussion: """
            Starts a PostgreSQL with fsync and an authority in a folder of its own; the load comes from this process, over \
            loopback, each request signed. CPU is that of the authority's process, database that of PostgreSQL's. With --grants, \
            --keys or --records a second authority over a database filled so takes part. deploy/bench-authority installs \
            moto, runs everything and writes docs/performance.md.
            """)

    @OptionGroup var options: BenchOptions

    @Option(name: .customLong("connections"), help: "Connections, 1 to 256. Repeatable; 1, 8 and 64.")
    var connections: [Int] = []

    @Option(name: .customLong("only"), help: "Only cases whose name begins so, such as gdk.ours. Repeatable.")
    var only: [String] = []

    @Option(help: "Length of a run, 0.05 to 60 s.")
    var seconds = 2.0

    @Option(help: "Grants on the key of the filled database, up to \(AuthorityFilling.grantsMax).")
    var grants = 0

    @Option(help: "Further keys in it, up to \(AuthorityFilling.keysMax).")
    var keys = 0

    @Option(help: "Audit records in it, up to 100 million; about 3 GB of disk a million.")
    var records = 0

    @Option(help: "moto_server, for comparison.")
    var moto: String?

    func validate() throws {
        guard connections.allSatisfy({ (1...256).contains($0) }) else { throw ValidationError("--connections takes 1 to 256.") }
        guard (0.05...60).contains(seconds) else { throw ValidationError("--seconds takes 0.05 to 60.") }
        guard (0...AuthorityFilling.grantsMax).contains(grants), (0...AuthorityFilling.keysMax).contains(keys),
            (0...100_000_000).contains(records)
        else { throw ValidationError("--grants, --keys or --records is out of its range.") }
    }

    func run() async throws {
        try await CommandFailure.reporting {
            let machine = BenchMachine.current()
            let started = Date()
            let filling = AuthorityFilling(grants: grants, keys: keys, records: records)
            let folder = try BenchFolder(below: options.folder, needing: (1 << 30) + records * 3000 + (grants + keys) * 4000)
            defer { folder.delete() }
            var peers: [String: String] = [:]
            let results = try await measure(folder, filling, &peers)
            let record = BenchRecord(
                bench: "authority", machine: machine, started: started, peers: peers,
                settings: [
                    "seconds": "\(runSeconds)", "repetitions": "\(options.schedule.repetitions)",
                    "warmUps": "\(options.schedule.warmUps)", "grants": "\(grants)", "keys": "\(keys)", "records": "\(records)",
                ], results: results, targets: AuthorityTargets.all(results))
            let report = AuthorityReport(record: record)
            try options.publish(record, text: report.text, chart: report.chart, part: report.markdown)
        }
    }

    private var runSeconds: Double { options.quick ? 0.3 : seconds }
    private var counts: [Int] { connections.isEmpty ? [1, 8, 64] : connections }

    private func measure(
        _ folder: BenchFolder, _ filling: AuthorityFilling, _ peers: inout [String: String]
    ) async throws -> [BenchResult] {
        var line = ProgressLine(.standardError)
        line.update("starting PostgreSQL and an authority", key: "start")
        let bench = try await AuthorityBenchCluster.start(in: folder)
        let peer: AuthorityPeer?
        do {
            peer = if let moto { try await AuthorityPeer.start(program: moto, folder: folder) } else { nil }
        } catch {
            await bench.stop()
            throw error
        }
        if let peer { peers["moto"] = peer.version }
        let outcome: Result<[BenchResult], any Error>
        do {
            outcome = .success(try await measure(bench, peer, filling, &line))
        } catch {
            outcome = .failure(error)
        }
        await peer?.stop()
        await bench.stop()
        line.finish()
        return try outcome.get()
    }

    private func measure(
        _ bench: AuthorityBenchCluster, _ peer: AuthorityPeer?, _ filling: AuthorityFilling, _ line: inout ProgressLine
    ) async throws -> [BenchResult] {
        let (port, pid) = try bench.firstAuthority
        let ours = try await AuthorityLoad.prepare(
            tool: "ours", title: "authority", generator: try bench.generator(port: port), process: pid, database: bench.database,
            role: bench.roleARN)
        let commits = try await CommitLoad.prepare(
            connection: bench.cluster.postgres.connection(.jobs), connections: counts.max() ?? 1, database: bench.database)
        defer { commits.close() }
        var cases: [BenchCase] = []
        for count in counts {
            cases += AuthorityLoad.Operation.allCases.map { ours.benchCase($0, connections: count, seconds: runSeconds) }
            cases.append(commits.benchCase(connections: count, seconds: runSeconds))
            guard let peer else { continue }
            let asked: [AuthorityLoad.Operation] =
                count == 8
                ? [.generateDataKey, .decrypt, .grants, .assumeRole]
                : [
                    .generateDataKey, .decrypt,
                ]
            cases += asked.map { peer.load.benchCase($0, connections: count, seconds: runSeconds) }
        }
        if !filling.isEmpty {
            let filled = try await fill(bench, filling, key: ours.key, &line)
            for count in counts {
                for operation in AuthorityLoad.Operation.allCases where operation != .bare {
                    cases.append(filled.benchCase(operation, connections: count, seconds: runSeconds))
                }
            }
        }
        let wanted = cases.filter { one in only.isEmpty || only.contains { one.name.hasPrefix($0) } }
        return try await options.schedule.run(wanted) { done, total, title in
            line.update("\(done + 1)/\(total): \(title)", key: "measure")
        }
    }

    /// A second database with the same key, filled, and an authority over it.
    private func fill(
        _ bench: AuthorityBenchCluster, _ filling: AuthorityFilling, key: String, _ line: inout ProgressLine
    ) async throws -> AuthorityLoad {
        let name = "forecastle_filled"
        line.update("copying the database", key: "copy")
        try await bench.copyDatabase(to: name)
        let pool = bench.pool(database: name)
        try await filling.fill(pool, key: key, role: bench.roleARN) { line.update("filling: \($0)", key: "fill") }
        pool.close()
        let (port, pid) = try await bench.startAuthority(number: 2, database: name)
        return try await AuthorityLoad.prepare(
            tool: "filled", title: "filled authority", generator: try bench.generator(port: port), process: pid,
            database: bench.database, key: key, role: bench.roleARN)
    }
}
