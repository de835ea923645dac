import ArgumentParser
import Foundation
import Postgres

/// What others do with the same: raw PostgreSQL, and the queues of the Python world where they are installed.
struct JobsPeers: Sendable {
    let database: JobsDatabaseUnderTest
    /// Versions of what was found, by name.
    let versions: [String: String]
    private let python: String?

    static func find(python: String?, database: JobsDatabaseUnderTest) async throws -> JobsPeers {
        let server: String = try await database.pool.query("SHOW server_version")[0].get(0)
        var versions = ["postgres": "PostgreSQL \(server)"]
        if let python, let version = version(of: "procrastinate", python) { versions["procrastinate"] = version }
        return JobsPeers(database: database, versions: versions, python: python)
    }

    private static func version(of module: String, _ python: String) -> String? {
        let text = "from importlib.metadata import version; import \(module); print('\(module)', version('\(module)'))"
        return output(of: python, ["-c", text])
    }

    private static func output(of program: String, _ arguments: [String]) -> String? {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { return nil }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// A queue table and nothing else: insert, claim and finish, `batch` tasks in each transaction.
    func raw(tasks: Int, batch: Int, clients: Int) async throws -> BenchSample {
        let pool = database.pool
        try await pool.execute("CREATE TABLE IF NOT EXISTS raw_queue (id bigserial PRIMARY KEY, state int NOT NULL DEFAULT 0)")
        try await pool.execute("CREATE INDEX IF NOT EXISTS raw_ready ON raw_queue (id) WHERE state = 0")
        try await pool.execute("TRUNCATE raw_queue")
        let cluster = database.cluster
        let cpu = cluster.cpuSeconds(with: []) + ProcessTimes.seconds(of: getpid())
        let began = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<clients {
                group.addTask {
                    for _ in 0..<max(1, tasks / clients / batch) {
                        try await pool.execute("INSERT INTO raw_queue (state) SELECT 0 FROM generate_series(1, \(batch))")
                        let claimed = try await pool.query(
                            """
                            UPDATE raw_queue SET state = 1 WHERE id IN (
                                SELECT id FROM raw_queue WHERE state = 0 ORDER BY id LIMIT \(batch) FOR UPDATE SKIP LOCKED)
                            RETURNING id
                            """
                        ).map { try $0.get("id", as: Int.self) }
                        try await pool.execute("DELETE FROM raw_queue WHERE id = ANY(\(claimed)) AND state = 1")
                    }
                }
            }
            try await group.waitForAll()
        }
        return BenchSample(
            wallSeconds: (ContinuousClock.now - began) / .seconds(1),
            cpuSeconds: cluster.cpuSeconds(with: []) + ProcessTimes.seconds(of: getpid()) - cpu, bytes: tasks)
    }

    var hasProcrastinate: Bool { versions["procrastinate"] != nil }

    /// No-op jobs deferred in one batch and run by two worker processes with `concurrency` at once.
    func procrastinate(jobs: Int, concurrency: Int) async throws -> BenchSample {
        guard let python else { throw CommandFailure("No Python interpreter was named.", .failure) }
        let folder = database.cluster.folder
        let script = folder.path + "/procrastinate_bench.py"
        try folder.write(Self.script, to: script)
        let cpu = database.cluster.cpuSeconds(with: [])
        let run = MeasuredProcess(
            executable: python,
            arguments: [script, database.connection, "\(jobs)", "\(concurrency)"],
            output: .file(folder.path + "/procrastinate.out"), log: folder.log("procrastinate"))
        let outcome = try await run.run()
        let said = try String(contentsOfFile: folder.path + "/procrastinate.out", encoding: .utf8)
        guard let seconds = Double(said.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw CommandFailure("procrastinate said \(said.prefix(200)).", .failure)
        }
        return BenchSample(
            wallSeconds: seconds, cpuSeconds: outcome.cpuSeconds + database.cluster.cpuSeconds(with: []) - cpu, bytes: jobs)
    }

    private static let script = """
        import asyncio, multiprocessing, sys, time
        import procrastinate

        conninfo, jobs, concurrency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

        def make():
            app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo))
            @app.task(name="noop", queue="bench")
            async def noop():
                pass
            return app, noop

        async def prepare():
            app, noop = make()
            async with app.open_async():
                if not await app.check_connection_async():
                    await app.schema_manager.apply_schema_async()
                await noop.batch_defer_async(*[{} for _ in range(jobs)])

        def work():
            async def run():
                app, _ = make()
                async with app.open_async():
                    await app.run_worker_async(queues=["bench"], concurrency=concurrency, wait=False, install_signal_handlers=False)
            asyncio.run(run())

        if __name__ == "__main__":
            asyncio.run(prepare())
            began = time.monotonic()
            workers = [multiprocessing.Process(target=work) for _ in range(2)]
            [w.start() for w in workers]
            [w.join() for w in workers]
            assert all(w.exitcode == 0 for w in workers)
            print(time.monotonic() - began)
        """
}
