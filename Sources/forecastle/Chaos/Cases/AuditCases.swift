import AWSProtocol
import Foundation
import Glibc
import Logging
import ObjectStore
import Postgres
import Verification

/// Case 23.
struct AuditPageFlipped: ChaosCase {
    let number = 23
    let title = "a bit flipped in a page of the trail"
    let injects = "PostgreSQL stopped, one bit of the table's file flipped, started; then flipped back"
    let expects = "an error, never wrong data; verify finds it"

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        for _ in 0..<3 { _ = await load.submit(access) }
        try await trial.waitForSuccess()
        let file: String =
            try await cluster.authority.query("SELECT pg_relation_filepath('audit_records') AS path").first?
            .get("path") ?? ""
        let path = cluster.folder.postgres + "/" + file
        // Within the rows of the first page, which lie at its end.
        let place = trial.random(5000...8100)
        try await restart(trial) { try flip(path, place) }
        trial.injected("bit flipped at byte \(place) of the trail's first page")
        let verdict: String
        do {
            let verification = try await cluster.verify(load)
            verdict = verification.results.first { $0.name == "I5" }?.finding.violations.first ?? ""
        } catch {
            verdict = "\(error)"
        }
        try trial.expect(!verdict.isEmpty, "verify found nothing")
        trial.saw("verify: \(verdict)")
        do {
            _ = try await load.noting("LookupEvents") {
                try await load.once.call(
                    .cloudtrail, "LookupEvents",
                    ["LookupAttributes": [["AttributeKey": "EventName", "AttributeValue": "CreateKey"]]])
            }
            trial.saw("LookupEvents answered: what it asked for lies on other pages")
        } catch let failure as EnvironmentClient.Failure {
            try trial.expect(failure.error.status >= 500, "LookupEvents: \(failure)")
            trial.saw("LookupEvents: \(failure.error.code)")
        }
        try await restart(trial) { try flip(path, place) }
        try await trial.wait(until: "the database to answer") { try await cluster.openJobs() == 0 }
    }

    /// Stops the server in order, so that nothing of the page is in memory any more.
    private func restart(_ trial: ChaosTrial, _ whileDown: () throws -> Void) async throws {
        let cluster = trial.cluster
        let old = try cluster.child("postgres")
        cluster.supervisor.hold("postgres")
        await old.stop(with: SIGINT, grace: .seconds(60))
        try whileDown()
        cluster.supervisor.letGo("postgres")
        try await cluster.waitForNext("postgres", after: old)
        try await trial.wait(until: "the server to answer") {
            try await cluster.superuser.query("SELECT 1").count == 1
        }
    }

    private func flip(_ path: String, _ place: Int) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        defer { try? handle.close() }
        try handle.seek(toOffset: UInt64(place))
        guard let byte = try handle.read(upToCount: 1)?.first else {
            throw ChaosFailure(description: "the trail has no such page")
        }
        try handle.seek(toOffset: UInt64(place))
        try handle.write(contentsOf: Data([byte ^ 4]))
    }
}

/// Case 24.
struct AuditRowsEdited: ChaosCase {
    let number = 24
    let title = "a superuser edits the trail"
    let injects = "a record changed, removed, two swapped, the end cut off, each undone again"
    let expects = "verify names the first bad record, or that the end is gone"
    let isQuick = true

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        for _ in 0..<2 { _ = await load.submit(access) }
        try await trial.waitForSuccess()
        let shard: UUID =
            try await cluster.authority.query("SELECT shard FROM audit_shards ORDER BY sequence DESC LIMIT 1").first?
            .get("shard") ?? UUID()
        let records =
            try await cluster.authority.query("SELECT count(*) AS n FROM audit_records WHERE shard = \(shard)").first?
            .get("n", as: Int.self) ?? 0
        try trial.expect(records > 10, "the trail holds \(records) records only")
        let place = trial.random(2...(records - 4))
        // Nobody adds a record meanwhile.
        try cluster.pause("authority")
        defer { cluster.resume("authority") }
        let edits: [(what: String, found: String, edit: PostgresQuery)] = [
            (
                "changed", "breaks at record \(place)",
                "UPDATE audit_records SET record = replace(record, '\"', ' \"') WHERE shard = \(shard) AND sequence = \(place)"
            ),
            (
                "removed", "breaks at record \(place)",
                "DELETE FROM audit_records WHERE shard = \(shard) AND sequence = \(place)"
            ),
            (
                "swapped", "breaks at record \(place)",
                """
                UPDATE audit_records a SET record = b.record FROM audit_records b
                WHERE a.shard = \(shard) AND b.shard = \(shard) AND a.sequence IN (\(place), \(place + 1))
                  AND b.sequence = 2 * \(place) + 1 - a.sequence
                """
            ),
            ("cut off", "was cut off", "DELETE FROM audit_records WHERE shard = \(shard) AND sequence > \(place)"),
        ]
        for (what, expected, edit) in edits {
            let owner = try authority(cluster)
            defer { owner.close() }
            _ = try await owner.query("CREATE TABLE kept AS SELECT * FROM audit_records WHERE shard = \(shard)")
            _ = try await owner.query("ALTER TABLE audit_records DISABLE TRIGGER USER")
            let changed = try await owner.execute(edit)
            try trial.expect(changed > 0, "no record was \(what)")
            let finding = try await AuditCoverage().check(
                VerifiedCluster(
                    jobs: cluster.jobs, authority: owner, artifacts: try DirectoryObjectStore(root: cluster.folder.artifacts),
                    lease: .seconds(3),
                    beat: .seconds(1), memoryBounds: .init(baseBytes: 1, workerBytes: 1), outboxRowsMax: 1))
            trial.injected("record \(place) \(what)")
            try trial.expect(
                finding.violations.contains { $0.contains(expected) }, "verify says of records \(what): \(finding.violations)")
            trial.saw("verify: \(finding.violations.first ?? "")")
            _ = try await owner.query("DELETE FROM audit_records WHERE shard = \(shard)")
            _ = try await owner.query("INSERT INTO audit_records OVERRIDING SYSTEM VALUE SELECT * FROM kept")
            _ = try await owner.query("ALTER TABLE audit_records ENABLE TRIGGER USER")
            _ = try await owner.query("DROP TABLE kept")
        }
    }

    /// As superuser, on the authority's database.
    private func authority(_ cluster: ChaosCluster) throws -> PostgresPool {
        PostgresPool(
            configuration: .init(
                connection: "host=\(cluster.folder.sockets) port=5432 user=postgres dbname=forecastle_authority"),
            logger: .init(label: "chaos") { _ in SwiftLogNoOpLogHandler() })
    }
}
