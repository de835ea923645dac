import Foundation
import Logging
import Postgres
import Verification

/// Case 21.
struct ConnectionsExhausted: ChaosCase {
    let number = 21
    let title = "connections exhausted"
    let injects = "no new session is granted to the jobs role, and the API's are terminated"
    let expects = "the API sheds with 503; beats have their own connection and lose no lease"

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        try load.put("long.csv", items: 2000)
        let long = try await load.create("long", file: "long.csv", access, by: load.client)
        try await trial.wait(until: "the long job to run") {
            try await cluster.count("SELECT count(*) AS n FROM job_chunk") > 0
        }
        let losses = try await cluster.count("SELECT coalesce(sum(losses), 0) AS n FROM job_task")
        // What a hog that holds every other session leaves: those that are connected stay, nobody else comes in.
        for (role, limit) in [("api", 0), ("worker", 1)] {
            _ = try await cluster.superuser.query("ALTER ROLE forecastle_jobs_\(raw: role) CONNECTION LIMIT \(raw: "\(limit)")")
        }
        _ = try await cluster.superuser.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'forecastle api'")
        for number in 1...5 { _ = try? await load.create("shed_\(number)", access, by: load.once) }
        let shed = load.errors.filter { $0.status == 503 }.count
        trial.injected("role at its limit of connections, the API without one")
        try trial.expect(shed > 0, "the API answered no 503; clients saw \(load.errors.map(\.code))")
        for role in ["api", "worker"] {
            _ = try await cluster.superuser.query("ALTER ROLE forecastle_jobs_\(raw: role) CONNECTION LIMIT -1")
        }
        let after = try await cluster.count("SELECT coalesce(sum(losses), 0) AS n FROM job_task")
        try trial.expect(after == losses, "\(after - losses) leases were lost meanwhile")
        trial.saw("\(shed) requests were shed, no lease was lost")
        _ = try await load.create("after", access, by: load.client)
        try await trial.waitForSuccess()
        try trial.expect(load.accepted.contains { $0.arn == long }, "the long job is not among the accepted")
    }
}

/// Case 22.
struct DeadlockStorm: ChaosCase {
    let number = 22
    let title = "deadlocks and serialization failures"
    let injects = "32 sessions lock the rows of running jobs against the engine's order for 15 s"
    let expects = "40P01 is tried again, everything gets on, no error tells SQL"

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        var configuration = PostgresConfiguration(
            connection: "host=\(cluster.folder.sockets) port=5432 user=postgres dbname=forecastle_jobs", applicationName: "storm")
        configuration.maximumConnections = 32
        let pool = PostgresPool(configuration: configuration, logger: .init(label: "storm") { _ in SwiftLogNoOpLogHandler() })
        defer { pool.close() }
        _ = try await cluster.superuser.query("ALTER DATABASE forecastle_jobs SET deadlock_timeout = '100ms'")
        try await trial.load.steadily(access, on: cluster, every: .milliseconds(100)) {
            let end = ContinuousClock.now + .seconds(15)
            let deadlocks = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<32 {
                    group.addTask {
                        var count = 0
                        while ContinuousClock.now < end {
                            do {
                                try await pool.transaction { connection in
                                    _ = try await connection.query(
                                        "SELECT 1 FROM job_task WHERE state IN ('ready', 'running') ORDER BY id LIMIT 4 FOR UPDATE"
                                    )
                                    try await Task.sleep(for: trial.random(milliseconds: 1...30))
                                    _ = try await connection.query(
                                        "SELECT 1 FROM job WHERE finished_at IS NULL ORDER BY id DESC LIMIT 4 FOR UPDATE")
                                }
                            } catch let error as PostgresError {
                                if error.sqlState == SQLState.deadlockDetected.rawValue { count += 1 }
                            }
                        }
                        return count
                    }
                }
                return try await group.reduce(0, +)
            }
            let all =
                try await cluster.superuser.query(
                    "SELECT deadlocks AS n FROM pg_stat_database WHERE datname = 'forecastle_jobs'"
                ).first?.get("n", as: Int.self) ?? 0
            try trial.expect(all > 0, "no deadlock came about")
            trial.injected("\(all) deadlocks, of which \(deadlocks) ended the storm's own transactions")
        }
        try await trial.waitForSuccess()
        let telling = try await cluster.count(
            "SELECT count(*) AS n FROM job_task WHERE last_error ~* '(select|update|insert|deadlock|job_task)'")
        try trial.expect(telling == 0, "\(telling) errors tell of SQL")
    }
}

/// Case 25.
struct LongTransaction: ChaosCase {
    let number = 25
    let title = "a long transaction under churn"
    let injects = "a snapshot held for 20 s while jobs come and go"
    let expects = "jobs go on at much the same pace"
    let reach = ChaosReach.cluster

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        try await trial.load.steadily(access, on: cluster, every: .milliseconds(100), file: "small.csv") {
            let before = try await pace(trial)
            try await cluster.superuser.withConnection { connection in
                _ = try await connection.query("BEGIN ISOLATION LEVEL REPEATABLE READ")
                _ = try await connection.query("SELECT count(*) FROM job")
                let during = try await pace(trial)
                trial.injected("snapshot held for 10 s under churn")
                let again = try await pace(trial)
                _ = try await connection.query("ROLLBACK")
                trial.saw("jobs in 10 s: \(before) before, \(during) and \(again) while it was held")
                // The machine is shared: a fourth of the pace tells a standstill from noise.
                try trial.expect(
                    min(during, again) * 4 >= before, "the pace fell from \(before) to \(during) and \(again) jobs in 10 s")
            }
        }
        try await trial.waitForSuccess()
    }

    private func pace(_ trial: ChaosTrial) async throws -> Int {
        let before = try await trial.succeeded()
        let end = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(200)) }
        return try await trial.succeeded() - before
    }
}

/// Case 26.
struct MigrationsKilled: ChaosCase {
    let number = 26
    let title = "migrations killed half-way, two at once"
    let injects = "two migrators on an empty database, one or both killed at a random moment"
    let expects = "transactional and resumable; a schema that does not match is not served"
    let isQuick = true

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        var killed = 0
        for round in 1...4 {
            let database = "migrated_\(round)"
            _ = try await cluster.superuser.query("CREATE DATABASE \(raw: database) OWNER forecastle_jobs")
            let connection = "host=\(cluster.folder.sockets) port=5432 user=forecastle_jobs dbname=\(database)"
            let arguments = { (command: String) in
                [
                    "migrate", command, "--database", "jobs", "--config", cluster.folder.configuration,
                    "--jobs-postgres-owner=\(connection)",
                ]
            }
            var migrators: [ChildProcess] = []
            for _ in 1...2 {
                migrators.append(
                    try await ChildProcess.start(
                        name: "migrate", executable: executable, arguments: arguments("up"),
                        environment: ProcessInfo.processInfo.environment, log: cluster.folder.log("migrate")))
            }
            if round > 1 {
                try await Task.sleep(for: trial.random(milliseconds: 20...400))
                for migrator in migrators.prefix(trial.random(1...2)) where !migrator.hasEnded {
                    migrator.signal(SIGKILL)
                    killed += 1
                }
            }
            for migrator in migrators { await migrator.wait() }
            let again = try await cluster.run(executable, arguments("up"), log: "migrate")
            let verified = try await cluster.run(executable, arguments("verify"), log: "migrate")
            try trial.expect(again == 0 && verified == 0, "the schema is not whole after round \(round)")
        }
        trial.injected("two migrators at once four times, \(killed) of them killed")
        let table = try await cluster.superuser.query(
            "SELECT c.relname AS name FROM pg_class c WHERE c.relkind = 'r' AND c.relname LIKE '%migration%'"
        ).first?.get("name", as: String.self)
        trial.saw("the record of migrations is \(table ?? "elsewhere")")
        // Of an empty database no role is served.
        _ = try await cluster.superuser.query("CREATE DATABASE empty_one OWNER forecastle_jobs")
        let refused = try await cluster.run(
            executable,
            [
                "api", "--config", cluster.folder.configuration, "--api-port=0",
                "--jobs-postgres=host=\(cluster.folder.sockets) port=5432 user=forecastle_jobs dbname=empty_one",
            ], log: "refused")
        try trial.expect(refused & 0x7F == 0 && refused != 0, "the API \(ChildProcess.describe(refused)) on an empty database")
        trial.saw("the API \(ChildProcess.describe(refused)) on an empty database")
    }
}
