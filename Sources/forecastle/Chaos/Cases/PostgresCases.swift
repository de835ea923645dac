import AWSProtocol
import FaultInjection
import Foundation
import Glibc
import Logging
import Postgres
import Verification

/// Case 15.
struct PostgresKilled: ChaosCase {
    let number = 15
    let title = "PostgreSQL killed under load"
    let injects = "kill -9 of the postmaster, twice"
    let expects = "what was accepted is there; clients come back with backoff; commits in doubt are read again"
    let isQuick = true

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        try await trial.load.steadily(access, on: cluster, every: .milliseconds(100)) {
            for _ in 1...2 {
                let before = try await trial.wait(for: "the database to answer") { try await trial.succeeded() }
                try await trial.wait(until: "jobs to succeed") { try await trial.succeeded() > before }
                try await Task.sleep(for: trial.random(milliseconds: 0...500))
                let old = try await cluster.kill9("postgres")
                trial.injected("kill -9 of postmaster \(old.pid)")
                try await cluster.waitForNext("postgres", after: old)
                let began = ContinuousClock.now
                let then = try await trial.wait(for: "the database to recover") { try await trial.succeeded() }
                try await trial.wait(until: "jobs to succeed again") { try await trial.succeeded() > then }
                trial.saw("jobs succeeded again \(began.duration(to: .now).rounded) after the restart")
            }
        }
        try await trial.waitForSuccess()
    }
}

/// Case 16.
struct SessionsTerminated: ChaosCase {
    let number = 16
    let title = "sessions terminated at random"
    let injects = "pg_terminate_backend of random sessions of both databases for 15 s"
    let expects = "only what may be repeated is repeated; nothing doubled"

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        try await trial.load.steadily(access, on: cluster, every: .milliseconds(100)) {
            let end = ContinuousClock.now + .seconds(15)
            var count = 0
            while ContinuousClock.now < end {
                let sessions = try await cluster.superuser.query(
                    """
                    SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
                      AND application_name LIKE 'forecastle %' AND application_name <> 'forecastle chaos' ORDER BY pid
                    """
                ).map { try $0.get("pid", as: Int32.self) }
                if let victim = trial.shuffled(sessions).first {
                    _ = try await cluster.superuser.query("SELECT pg_terminate_backend(\(victim))")
                    count += 1
                }
                try await Task.sleep(for: trial.random(milliseconds: 20...200))
            }
            trial.injected("\(count) sessions terminated")
            try trial.expect(count > 20, "only \(count) sessions were there to be terminated")
        }
        try await trial.waitForSuccess()
    }
}

/// Case 17.
struct CommitAnswersLost: ChaosCase {
    let number = 17
    let title = "COMMIT executed, its answer lost"
    let injects = "a proxy resets the connection when the answer to COMMIT comes, at a worker and at the API"
    let expects = "the row is read to know; nothing inserted twice, no state lost"
    let isQuick = true

    var setup: ChaosSetup {
        var setup = ChaosSetup()
        setup.routes = [.workerPostgres, .apiPostgres]
        return setup
    }

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        let commit = Array("COMMIT\0".utf8)
        for number in 1...6 {
            let api = cluster.proxy(.apiPostgres)
            let before = api.severedAnswers
            api.severAnswers(to: commit, times: 1)
            let name = "in_doubt_\(number)"
            let first = try? await load.create(name, access, by: load.once)
            try await trial.wait(until: "the API's COMMIT to lose its answer") { api.severedAnswers > before }
            // Whatever the client was told, the name is taken once. While the dataset is imported into, it is not looked at.
            try await trial.wait(until: "the job to end") { try await cluster.openJobs() == 0 }
            do {
                _ = try await load.create(name, access, by: load.client)
                try trial.expect(first == nil, "\(name) was accepted twice")
            } catch let failure as EnvironmentClient.Failure {
                try trial.expect(failure.error.code == "ResourceAlreadyExistsException", "\(name) again: \(failure)")
            }
            let jobs = try await cluster.count("SELECT count(*) AS n FROM job WHERE resource LIKE \("%/" + name)")
            try trial.expect(jobs == 1, "\(jobs) jobs are named \(name)")
        }
        trial.injected("\(cluster.proxy(.apiPostgres).severedAnswers) answers to COMMITs of the API lost")
        let worker = cluster.proxy(.workerPostgres)
        try await load.steadily(access, on: cluster, every: .milliseconds(100)) {
            for round in 1...15 {
                worker.severAnswers(to: commit, times: 1)
                try await trial.wait(until: "the worker's COMMIT number \(round) to lose its answer", every: .milliseconds(20)) {
                    worker.severedAnswers >= round
                }
                try await Task.sleep(for: trial.random(milliseconds: 0...200))
            }
        }
        worker.heal()
        trial.injected("\(worker.severedAnswers) answers to COMMITs of a worker lost")
        try await trial.waitForSuccess()
    }
}

/// Case 18.
struct PostgresPaused: ChaosCase {
    let number = 18
    let title = "PostgreSQL stopped"
    let injects = "SIGSTOP of all its processes for 15 s under load"
    let expects = "requests end in 5xx; pools bounded; workers lose their leases by their own clock and pause; no herd after it"

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        try await trial.load.steadily(access, on: cluster, every: .milliseconds(100)) {
            try await trial.wait(until: "jobs to succeed") { try await trial.succeeded() > 1 }
            let stopped = cluster.postgresProcesses
            for pid in stopped { kill(pid, SIGSTOP) }
            let began = ContinuousClock.now
            // Nobody can be asked: what the API answers meanwhile is the load's to note.
            while began.duration(to: .now) < .seconds(15) { try await Task.sleep(for: .milliseconds(200)) }
            for pid in cluster.postgresProcesses { kill(pid, SIGCONT) }
            trial.injected("\(stopped.count) processes of PostgreSQL stopped for \(began.duration(to: .now).rounded)")
            let healed = ContinuousClock.now
            let before = try await trial.wait(for: "the database to answer") { try await trial.succeeded() }
            try await trial.wait(until: "jobs to succeed again") { try await trial.succeeded() > before }
            trial.saw("jobs succeeded again \(healed.duration(to: .now).rounded) after SIGCONT")
        }
        try await trial.waitForSuccess()
    }
}

/// Case 19.
struct PostgresDiskFull: ChaosCase {
    let number = 19
    let title = "PostgreSQL's disk full"
    let injects = "its memory file system filled to the last byte under load, then freed"
    let expects = "5xx and no partial effect; recovers by itself once there is room"
    let needs: [ChaosNeed] = [.root]

    var setup: ChaosSetup {
        var setup = ChaosSetup()
        setup.disks[.postgres] = 384 << 20
        return setup
    }

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        let hog = cluster.folder.postgres + "/hog"
        try await trial.load.steadily(access, on: cluster, every: .milliseconds(100)) {
            try await trial.wait(until: "jobs to succeed") { try await trial.succeeded() > 1 }
            let descriptor = open(hog, O_WRONLY | O_CREAT, 0o600)
            try trial.expect(descriptor >= 0, "the hog cannot be made")
            defer { close(descriptor) }
            let block = [UInt8](repeating: 0, count: 64 << 10)
            var bytes = 0
            let end = ContinuousClock.now + .seconds(15)
            while ContinuousClock.now < end {
                // Whatever the server frees is taken, too.
                let written = write(descriptor, block, block.count)
                if written > 0 { bytes += written } else { try await Task.sleep(for: .milliseconds(50)) }
            }
            unlink(hog)
            ftruncate(descriptor, 0)
            trial.injected("disk full for 15 s, \(bytes >> 20) MiB taken")
            let log = cluster.log("postgres")
            try trial.expect(log.contains("No space left on device"), "the server did not notice that its disk was full")
            trial.saw(log.contains("PANIC") ? "the server panicked and recovered from its log" : "the server refused statements")
            let healed = ContinuousClock.now
            let before = try await trial.wait(for: "the database to answer") { try await trial.succeeded() }
            try await trial.wait(until: "jobs to succeed again") { try await trial.succeeded() > before }
            trial.saw("jobs succeeded again \(healed.duration(to: .now).rounded) after there was room")
        }
        try await trial.waitForSuccess()
    }
}

/// Case 20.
struct FsyncFails: ChaosCase {
    let number = 20
    let title = "fsync fails"
    let injects = "strace makes fsync and fdatasync of PostgreSQL's processes answer EIO once"
    let expects = "the server panics and recovers from its log; as a kill"
    let needs: [ChaosNeed] = [.root, .program("strace")]

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        guard let strace = ChaosNeed.path(of: "strace") else { throw ChaosSkip(description: "strace is not installed") }
        try await trial.load.steadily(access, on: cluster, every: .milliseconds(100)) {
            try await trial.wait(until: "jobs to succeed") { try await trial.succeeded() > 1 }
            let targets = cluster.postgresProcesses.dropFirst().flatMap { ["-p", "\($0)"] }
            let tracer = try await ChildProcess.start(
                name: "strace", executable: strace,
                arguments: ["-qq", "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO:when=1"] + targets,
                environment: ["PATH": "/usr/bin:/bin"], log: cluster.folder.log("strace"))
            defer { tracer.signal(SIGKILL) }
            try await trial.wait(until: "the server to panic", limit: .seconds(60)) { cluster.log("postgres").contains("PANIC") }
            await tracer.stop(grace: .seconds(10))
            trial.injected("fsync answered EIO; the server panicked")
            let began = ContinuousClock.now
            let before = try await trial.wait(for: "the database to recover") { try await trial.succeeded() }
            try await trial.wait(until: "jobs to succeed again") { try await trial.succeeded() > before }
            trial.saw("jobs succeeded again \(began.duration(to: .now).rounded) after the panic")
        }
        try await trial.waitForSuccess()
    }
}

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
