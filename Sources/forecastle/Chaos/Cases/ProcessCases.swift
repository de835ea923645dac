import AWSProtocol
import Foundation
import Glibc
import Postgres
import Verification

/// Case 7.
struct WorkerDrained: ChaosCase {
    let number = 7
    let title = "worker asked to end while busy"
    let injects = "SIGTERM under load, then SIGTERM and kill -9"
    let expects = "no new claims, its leases given back, no attempt counted, exit 0 within the grace"
    let isQuick = true
    private static let grace: Duration = .seconds(10)

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        try await trial.load.steadily(access, on: cluster, every: .milliseconds(100)) {
            for round in 1...2 {
                let worker = try cluster.child("worker-1")
                let name = try await trial.wait(for: "worker-1 to hold a task", every: .milliseconds(10)) {
                    try await cluster.jobs.query(
                        "SELECT worker FROM job_task WHERE state = 'running' AND worker LIKE \("worker-\(worker.pid)-%")"
                    ).first.map { try $0.get("worker", as: String.self) }
                }
                let asked = ContinuousClock.now
                worker.signal(SIGTERM)
                if round == 2 {
                    // A second request and then no mercy: no worse than a crash.
                    worker.signal(SIGTERM)
                    worker.signal(SIGKILL)
                    await worker.wait()
                    trial.injected("SIGTERM twice and kill -9 while busy")
                } else {
                    let status = await worker.wait()
                    let took = asked.duration(to: .now)
                    trial.injected("SIGTERM while busy")
                    try trial.expect(status == 0, "worker-1 \(ChildProcess.describe(status)) instead of ending with 0")
                    // The grace, and what a busy machine takes to end a process.
                    try trial.expect(took < Self.grace + .seconds(20), "it took \(took.rounded) to end")
                    let held = try await cluster.count(
                        "SELECT count(*) AS n FROM job_task WHERE state = 'running' AND worker = \(name)")
                    try trial.expect(held == 0, "it ended with \(held) leases not given back")
                    let lost = try await cluster.count("SELECT coalesce(sum(losses), 0) AS n FROM job_task")
                    try trial.expect(lost == 0, "\(lost) leases were lost")
                    trial.saw("it ended with 0 after \(took.rounded), no lease lost")
                }
                try await cluster.waitForNext("worker-1", after: worker)
            }
        }
        try await trial.waitForSuccess()
    }
}

/// Case 8.
struct WorkerOutOfMemory: ChaosCase {
    let number = 8
    let title = "worker out of memory"
    let injects = "a memory cgroup around one worker whose limit is below what it needs"
    let expects = "the kernel kills it; treated as a crash"
    let needs: [ChaosNeed] = [.root, .memoryCgroup]

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        let group = "/sys/fs/cgroup/memory/forecastle-chaos-\(getpid())"
        guard mkdir(group, 0o755) == 0 else {
            throw ChaosSkip(description: "no cgroup can be made: \(String(cString: strerror(errno)))")
        }
        defer { rmdir(group) }
        let worker = try cluster.child("worker-1")
        func write(_ text: String, _ file: String) throws {
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(group)/\(file)"))
            defer { try? handle.close() }
            try handle.write(contentsOf: Data(text.utf8))
        }
        do {
            try write("\(worker.pid)", "cgroup.procs")
            // Only what it allocates from here on is counted.
            try write("\(1 << 20)", "memory.limit_in_bytes")
        } catch {
            throw ChaosSkip(description: "the memory cgroup cannot be used: \(error)")
        }
        try await trial.load.steadily(access, on: cluster, every: .milliseconds(100)) {
            try await trial.wait(until: "the kernel to kill the worker", limit: .seconds(60)) { worker.hasEnded }
        }
        let status = await worker.wait()
        try trial.expect(status & 0x7F == SIGKILL, "worker-1 \(ChildProcess.describe(status))")
        trial.injected("worker-1 was killed by the kernel at 1 MiB beyond what it had")
        try await trial.waitForSuccess()
    }
}

/// Case 9.
struct WorkerClockAhead: ChaosCase {
    let number = 9
    let title = "a worker's monotonic clock is elsewhere"
    let injects = "one worker in a time namespace, its monotonic and boot clocks 100,000 s ahead; killed under load"
    let expects = "leases are judged by the database's clock: same results, same recovery"
    let needs: [ChaosNeed] = [.root, .timeNamespaces, .program("unshare")]

    var setup: ChaosSetup {
        var setup = ChaosSetup()
        let unshare = ChaosNeed.path(of: "unshare") ?? "unshare"
        // The worker's parent is `unshare`, which ends with us and takes it along.
        setup.launchers["worker-1"] = [
            "/usr/bin/setpriv", "--pdeathsig", "KILL", unshare, "--time", "--monotonic", "100000", "--boottime", "100000",
            "--kill-child=KILL", "--fork", "/usr/bin/env", "-u", ParentWatch.variable,
        ]
        return setup
    }

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        let launcher = try cluster.child("worker-1")
        let worker = try await trial.wait(for: "the worker in the namespace") {
            ClusterProcesses.children(of: launcher.pid).first { ClusterProcesses.commandLine(of: $0).contains("worker") }
        }
        let namespaces = ["/proc/self/ns/time", "/proc/\(worker)/ns/time"].map {
            try? FileManager.default.destinationOfSymbolicLink(atPath: $0)
        }
        try trial.expect(namespaces[1] != nil && namespaces[0] != namespaces[1], "the worker has this machine's clock")
        try await trial.load.steadily(access, on: cluster) {
            try await trial.wait(until: "the worker with the other clock to finish a task") {
                try await cluster.count(
                    "SELECT count(*) AS n FROM job_task WHERE state = 'done' AND worker LIKE \("worker-\(worker)-%")") > 0
            }
            trial.injected("monotonic clock 100,000 s ahead in worker \(worker), which finished tasks")
            try await trial.wait(until: "it to hold a task", every: .milliseconds(10)) {
                try await cluster.count(
                    "SELECT count(*) AS n FROM job_task WHERE state = 'running' AND worker LIKE \("worker-\(worker)-%")") > 0
            }
            kill(worker, SIGKILL)
            trial.injected("and was killed with a task in hand")
        }
        try await trial.waitForSuccess()
        trial.saw("not tried: a wall clock that jumps (no faketime here); the signature's window is tested in AWSServerTests")
    }
}

/// Case 10.
struct DatabaseClockBack: ChaosCase {
    let number = 10
    let title = "the database's clock steps back"
    let injects = "now() and clock_timestamp() of the jobs database 20 s back under load, then a worker killed"
    let expects = "no lease comes to life again, no negative duration, everything ends"
    let limit: Duration = .seconds(300)
    private static let step = 20

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        let superuser = cluster.superuser
        // Found before the server's own, so every statement of the engine has this clock.
        let statements: [PostgresQuery] = [
            "CREATE SCHEMA other_clock", "CREATE TABLE other_clock.shift (amount interval NOT NULL)",
            "INSERT INTO other_clock.shift VALUES ('0 s')",
            """
            CREATE FUNCTION other_clock.now() RETURNS timestamptz LANGUAGE sql STABLE AS
            'SELECT pg_catalog.now() - amount FROM other_clock.shift'
            """,
            """
            CREATE FUNCTION other_clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
            'SELECT pg_catalog.clock_timestamp() - amount FROM other_clock.shift'
            """,
        ]
        let roles = ["forecastle_jobs", "forecastle_jobs_api", "forecastle_jobs_worker"]
        let settings = roles.flatMap { role -> [PostgresQuery] in
            [
                "GRANT USAGE ON SCHEMA other_clock TO \(raw: role)", "GRANT SELECT ON other_clock.shift TO \(raw: role)",
                "ALTER ROLE \(raw: role) SET search_path = other_clock, pg_catalog, public",
            ]
        }
        // Whoever is connected has the old path.
        let reconnect: PostgresQuery =
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ANY (\(roles)::name[])"
        for statement in statements + settings + [reconnect] {
            _ = try await superuser.query(statement)
        }
        // Defaults were bound to the server's own clock when their tables were made: two clocks in one row are no step back.
        let defaults = try await Self.clockDefaults(superuser)
        for column in defaults { try await column.set(column.shifted, superuser) }
        try await trial.load.steadily(access, on: cluster) {
            try await trial.wait(until: "jobs to run on the other clock") { try await trial.succeeded() > 1 }
            _ = try await superuser.query("UPDATE other_clock.shift SET amount = make_interval(secs => \(Double(Self.step)))")
            trial.injected("clock \(Self.step) s back")
            try await cluster.kill9("worker-1")
            trial.injected("worker-1 killed behind the step")
            let before = try await trial.succeeded()
            let stepped = ContinuousClock.now
            try await trial.wait(until: "jobs to succeed behind the step") { try await trial.succeeded() > before + 2 }
            trial.saw("jobs succeeded \(stepped.duration(to: .now).rounded) behind the step")
        }
        try await trial.waitForSuccess()
        let late = try await superuser.query(
            """
            SELECT count(*) AS n FROM job_task t JOIN job j ON j.id = t.job
            WHERE t.state = 'running' AND j.finished_at IS NOT NULL
            """
        ).first?.get("n", as: Int.self)
        try trial.expect(late == 0, "\(late ?? -1) tasks of ended jobs run")
        // The invariants are judged by the clock that the leases were written with.
        for column in defaults { try await column.set(column.expression, superuser) }
        for role in roles { _ = try await superuser.query("ALTER ROLE \(raw: role) RESET search_path") }
        _ = try await superuser.query("DROP SCHEMA other_clock CASCADE")
        _ = try await superuser.query(reconnect)
        try await trial.wait(until: "the database to answer again") { try await cluster.openJobs() == 0 }
    }
}

extension DatabaseClockBack {
    /// A column that is filled with the time where nothing is said.
    private struct ClockDefault: Sendable {
        var table: String
        var column: String
        var expression: String

        var shifted: String {
            expression.replacing("clock_timestamp()", with: "other_clock.clock()")
                .replacing("now()", with: "other_clock.now()").replacing(
                    "other_clock.clock()", with: "other_clock.clock_timestamp()")
        }

        func set(_ expression: String, _ pool: PostgresPool) async throws {
            _ = try await pool.query(
                "ALTER TABLE \(raw: table) ALTER COLUMN \(raw: column) SET DEFAULT \(raw: expression)")
        }
    }

    private static func clockDefaults(_ pool: PostgresPool) async throws -> [ClockDefault] {
        try await pool.query(
            """
            SELECT a.attrelid::regclass::text AS table_name, quote_ident(a.attname) AS column_name,
                   pg_get_expr(d.adbin, d.adrelid) AS expression
            FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
            JOIN pg_class c ON c.oid = d.adrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
              AND pg_get_expr(d.adbin, d.adrelid) ~ '(now|clock_timestamp)\\(\\)'
            """
        ).map {
            ClockDefault(
                table: try $0.get("table_name"), column: try $0.get("column_name"), expression: try $0.get("expression"))
        }
    }
}

/// Case 11.
struct CoresBusy: ChaosCase {
    let number = 11
    let title = "every core busy"
    let injects = "two endless loops for each core, for 20 s"
    let expects = "beats have a thread of their own: no worker is taken for dead"

    /// The lease that is the default.
    var setup: ChaosSetup {
        var setup = ChaosSetup()
        for role in ["worker", "api"] { setup.flags[role] = ["--worker-lease-ms=5000", "--worker-beat-ms=1000"] }
        return setup
    }

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        let count = 2 * ProcessInfo.processInfo.activeProcessorCount
        var loops: [ChildProcess] = []
        for number in 0..<count {
            loops.append(
                try await ChildProcess.start(
                    name: "busy", executable: "/usr/bin/setpriv",
                    arguments: ["--pdeathsig", "KILL", "/bin/sh", "-c", "while :; do :; done"],
                    environment: ["PATH": "/usr/bin:/bin"], log: cluster.folder.log("busy-\(number)")))
        }
        defer { for loop in loops { loop.signal(SIGKILL) } }
        let began = ContinuousClock.now
        try await trial.load.steadily(access, on: cluster) {
            try await trial.wait(until: "20 s to pass", every: .milliseconds(500)) { began.duration(to: .now) > .seconds(20) }
        }
        trial.injected("\(count) endless loops beside the load for \(began.duration(to: .now).rounded)")
        for loop in loops { loop.signal(SIGKILL) }
        try await trial.waitForSuccess()
        let lost = try await cluster.count("SELECT coalesce(sum(losses), 0) AS n FROM job_task")
        try trial.expect(lost == 0, "\(lost) leases were lost although no worker died")
        trial.saw("no lease was lost")
    }
}

/// Case 13.
struct UnknownKinds: ChaosCase {
    let number = 13
    let title = "unknown kind and newer version in the queue"
    let injects = "tasks of a kind and of a version that no worker knows"
    let expects = "left for others, never taken or thrown away; known jobs go on"
    let isQuick = true

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        for (kind, version) in [("from-the-future", 1), ("import", 9_999)] {
            _ = try await cluster.jobs.query(
                """
                WITH made AS (
                    INSERT INTO job (id, kind, version, account, resource, incarnation, specification, signature,
                                     source_address, user_agent)
                    VALUES (gen_random_uuid(), \(kind), \(version), '123456789012', \("arn:unknown:\(kind)"), gen_random_uuid(),
                            '\\x00', '\\x00', '127.0.0.1', 'chaos')
                    RETURNING id
                )
                INSERT INTO job_task (id, job, kind, version, account, role, ordinal, epoch)
                SELECT gen_random_uuid(), id, \(kind), \(version), '123456789012', 'plan', 0, 1 FROM made
                """)
        }
        trial.injected("a job of the kind from-the-future and one of version 9999")
        for _ in 0..<5 { _ = await trial.load.submit(access) }
        try await trial.waitForSuccess()
        let untouched = try await cluster.count(
            """
            SELECT count(*) AS n FROM job_task t JOIN job j ON j.id = t.job
            WHERE j.resource LIKE 'arn:unknown:%' AND j.state = 'pending' AND t.state = 'ready' AND t.attempts = 0 AND t.fence = 0
            """)
        try trial.expect(untouched == 2, "\(2 - untouched) of the unknown tasks were touched")
        trial.saw("both wait untouched for a worker that knows them")
    }
}

/// Case 14.
struct TwoSweepers: ChaosCase {
    let number = 14
    let title = "a maintainer wakes that others took over from"
    let injects = "the process of a sweeper stopped for three leases while jobs are stopped and killed, then woken"
    let expects = "conditional writes: what it wakes to do changes nothing"

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        for _ in 0..<4 { _ = await trial.load.submit(access) }
        let stopped = ContinuousClock.now
        try cluster.pause("worker-1")
        trial.injected("SIGSTOP of worker-1 with its sweeper")
        let arns = trial.load.accepted.map(\.arn)
        for arn in arns.prefix(2) {
            _ = try? await trial.load.noting("StopResource") {
                try await trial.load.client.call(.forecast, "StopResource", ["ResourceArn": .string(arn)])
            }
        }
        try await trial.waitForEnd()
        try await trial.wait(until: "three leases to pass") { stopped.duration(to: .now) > ChaosSetup.lease * 3 }
        let before = try await states(cluster)
        cluster.resume("worker-1")
        trial.injected("SIGCONT \(stopped.duration(to: .now).rounded) later")
        let worker = try cluster.child("worker-1")
        for _ in 0..<4 { _ = await trial.load.submit(access) }
        try await trial.waitForEnd()
        let after = try await states(cluster)
        try trial.expect(before.allSatisfy { after[$0.key] == $0.value }, "a job that had ended changed")
        try trial.expect(!worker.hasEnded, "the woken worker ended")
        trial.saw("\(before.count) ended jobs stayed as they were")
    }

    private func states(_ cluster: ChaosCluster) async throws -> [String: String] {
        var result: [String: String] = [:]
        for row in try await cluster.jobs.query(
            "SELECT resource, state || epoch || finished_at AS line FROM job WHERE finished_at IS NOT NULL")
        {
            result[try row.get("resource")] = try row.get("line", as: String.self)
        }
        return result
    }
}
