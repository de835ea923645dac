import Crypto
import Foundation
import Logging
import ObjectStore
import Postgres
import PostgresTesting
import Testing
import Verification

/// The checks against rows that no engine wrote: each finds what it is there for, and nothing in what is right.
@Suite(.enabled(if: TestDatabase.isAvailable)) struct InvariantTests {
    private func with(_ body: (VerifiedCluster, PostgresPool) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "verified-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try await TestDatabase.with(migrations: .jobs) { pool in
            var cluster = VerifiedCluster(
                jobs: pool, authority: nil, artifacts: try DirectoryObjectStore(root: folder), lease: .seconds(5),
                beat: .seconds(1),
                memoryBounds: .init(baseBytes: 1 << 30, workerBytes: 0), outboxRowsMax: 2)
            cluster.searched = [folder]
            try await body(cluster, pool)
        }
    }

    /// A job and its resource; gives its id.
    private func job(_ name: String, state: String = "pending", on pool: PostgresPool) async throws -> UUID {
        let id = UUID()
        let isEnded = ["succeeded", "failed", "stopped"].contains(state)
        try await pool.execute(
            """
            INSERT INTO job (id, kind, version, account, resource, incarnation, specification, signature, source_address,
                             user_agent, state, message, retiring_at, ending_at, finished_at)
            VALUES (\(id), 'import', 1, '123456789012', \(name), \(id), '\\x00', '\\x00', '127.0.0.1', 'test', \(state), 'why',
                    now(), now(), CASE WHEN \(isEnded) THEN now() END)
            """)
        try await pool.execute(
            """
            INSERT INTO resources (arn, account, type, name, incarnation, status, request, job)
            VALUES (\(name), '123456789012', 'dataset-import-job', 'n', \(id), 'CREATE_PENDING', '{}', \(id))
            """)
        return id
    }

    private func task(
        _ job: UUID, role: String = "plan", state: String = "ready", leaseAgo seconds: Double? = nil, on pool: PostgresPool
    ) async throws -> UUID {
        let id = UUID()
        try await pool.execute(
            """
            INSERT INTO job_task (id, job, kind, version, account, priority, role, ordinal, epoch, state, fence, worker, lease_until,
                                  finished_at)
            VALUES (\(id), \(job), 'import', 1, '123456789012', CASE WHEN \(["commit", "cleanup"].contains(role)) THEN 0 ELSE 5 END,
                    \(role), 0, 1, \(state), 1, 'worker-1',
                    now() - make_interval(secs => \(seconds)), CASE WHEN \(state == "done") THEN now() END)
            """)
        return id
    }

    @Test func anAcceptedJobThatIsNowhereIsLost() async throws {
        try await with { cluster, pool in
            var cluster = cluster
            _ = try await task(try await job("arn:known", on: pool), on: pool)
            cluster.accepted = [.init(arn: "arn:known", time: "")]
            #expect(try await AcceptedJobs().check(cluster).holds)
            cluster.accepted.append(.init(arn: "arn:lost", time: ""))
            let finding = try await AcceptedJobs().check(cluster)
            #expect(finding.violations == ["arn:lost was accepted and is not in the catalog"])
        }
    }

    @Test func aJobWithNothingToClaimIsForgotten() async throws {
        try await with { cluster, pool in
            let id = try await job("arn:idle", state: "running", on: pool)
            _ = try await task(id, state: "done", on: pool)
            #expect(try await AcceptedJobs().check(cluster).violations.count == 1)
        }
    }

    @Test(arguments: [(-5.0, true), (5.0, true), (7.0, false)])
    func aTaskIsDeadOneBeatBehindASecondLease(ago: Double, holds: Bool) async throws {
        try await with { cluster, pool in
            _ = try await task(try await job("arn:a", state: "running", on: pool), state: "running", leaseAgo: ago, on: pool)
            #expect(try await LiveLeases().check(cluster).holds == holds)
        }
    }

    @Test func anActiveGrantOfAnEndedJobIsFoundAndOneThatIsLeftIsNot() async throws {
        try await with { cluster, pool in
            let id = try await job("arn:a", state: "failed", on: pool)
            try await pool.execute(
                """
                INSERT INTO job_grant (name, job, owner, artifact, key_arn, grantee, operations, encryption_context, state)
                VALUES (\("job/\(id.uuidString.lowercased())/a"), \(id), 'o', 'a', 'k', 'g', '{Decrypt}', '{}', 'retiring')
                """)
            #expect(try await EndedJobGrants().check(cluster).violationCount == 1)
            try await pool.execute("UPDATE job_grant SET state = 'left'")
            #expect(try await EndedJobGrants().check(cluster).holds)
        }
    }

    @Test func aPublishedObjectIsHeldToItsPin() async throws {
        try await with { cluster, pool in
            let id = try await job("arn:a", state: "succeeded", on: pool)
            let task = try await task(id, role: "work", state: "done", on: pool)
            let content = Data("sealed".utf8)
            let digest = SHA256.hash(data: content).map {
                String($0, radix: 16).count == 1 ? "0" + String($0, radix: 16) : String($0, radix: 16)
            }.joined()
            try await pool.execute("UPDATE job_task SET chunks = 1")
            try await pool.execute(
                "INSERT INTO job_object (name, job, task, fence, ordinal, state) VALUES ('artifacts/a', \(id), \(task), 1, 0, 'published')"
            )
            try await pool.execute(
                """
                INSERT INTO job_chunk (task, ordinal, fence, object, input_position, detail, bytes, rows)
                VALUES (\(task), 0, 1, 'artifacts/a', '{}', jsonb_build_object('messageBytes', 6, 'sha256', \(digest)::text), 6, 0)
                """)
            #expect(try await PublishedResults().check(cluster).violations == ["artifacts/a is published and not in the store"])
            let folder = try #require(cluster.searched.first)
            let file = folder + "/artifacts/a"
            try FileManager.default.createDirectory(atPath: folder + "/artifacts", withIntermediateDirectories: true)
            try content.write(to: URL(fileURLWithPath: file))
            #expect(try await PublishedResults().check(cluster).holds)
            try Data("seared".utf8).write(to: URL(fileURLWithPath: file))
            #expect(
                try await PublishedResults().check(cluster).violations == ["artifacts/a is not the object that PostgreSQL pins"])
            try Data("short".utf8).write(to: URL(fileURLWithPath: file))
            #expect(try await PublishedResults().check(cluster).violationCount == 2)
        }
    }

    @Test func aCanaryIsFoundInRowsAsTextAndAsBytes() async throws {
        try await with { cluster, pool in
            var cluster = cluster
            cluster.canaries = ["canary-of-a-test"]
            #expect(try await Canaries().check(cluster).holds)
            try await pool.execute("INSERT INTO outbox (topic, payload) VALUES ('t', \(Array("..canary-of-a-test..".utf8)))")
            #expect(try await Canaries().check(cluster).violations == ["1 rows of jobs public.outbox hold a canary"])
        }
    }

    @Test func anOutboxAboveItsBoundIsFound() async throws {
        try await with { cluster, pool in
            try await pool.execute("INSERT INTO outbox (topic, payload) SELECT 't', '' FROM generate_series(1, 2)")
            #expect(try await Bounds().check(cluster).holds)
            try await pool.execute("INSERT INTO outbox (topic, payload) VALUES ('t', '')")
            #expect(try await Bounds().check(cluster).violationCount == 1)
        }
    }

    @Test func memoryAboveTheBoundIsFound() async throws {
        try await with { cluster, _ in
            var cluster = cluster
            cluster.processes = [.init(role: "api", pid: getpid())]
            let wide = try await Bounds().check(cluster)
            #expect(wide.holds)
            cluster.memoryBounds = .init(baseBytes: 4096, workerBytes: 0)
            let narrow = try await Bounds().check(cluster)
            #expect(narrow.violationCount == 1)
        }
    }
}
