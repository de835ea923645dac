import ArgumentParser
import Foundation
import Jobs
import Kafka
import Outbox
import Postgres

/// A database with the queue tables, and how loads are put on it.
struct JobsDatabaseUnderTest: Sendable {
    let cluster: JobsCluster
    let connection: String
    let pool: PostgresPool

    var engine: JobsEngine { JobsEngine(pool: pool, logger: JobsCluster.logger) }

    static let account = "123456789012"

    func submission(_ kind: JobKind = NoopHandler.noop, tasks: Int, account: String = account) throws -> JobSubmission {
        let id = JobID()
        return try JobSubmission(
            JobSpecification(
                job: id, kind: kind, account: account,
                resourceARN: "arn:aws:forecast:us-west-2:\(account):dataset-import-job/bench/\(id)", incarnation: UUID(),
                sourceAddress: "192.0.2.1", userAgent: "forecastle-bench", document: Array(#"{"tasks":\#(tasks)}"#.utf8)),
            signedBy: cluster.signer)
    }

    /// Runs `body` with worker processes that are ready for work, and ends them.
    func withWorkers<R>(_ count: Int, slots: Int, _ body: ([ChildProcess]) async throws -> R) async throws -> R {
        var workers: [ChildProcess] = []
        for number in 0..<count {
            workers.append(
                try await cluster.startWorker("bench-\(number)-\(UUID().uuidString.prefix(8))", slots: slots, on: connection))
        }
        let result: Result<R, any Error>
        do {
            try await JobsCluster.waiting("workers") {
                let seen: Int = try await pool.query(
                    "SELECT count(*) AS n FROM job_worker WHERE seen_at > now() - interval '10 s'")[0].get("n")
                return seen >= count || workers.contains { $0.hasEnded }
            }
            result = .success(try await body(workers))
        } catch {
            result = .failure(error)
        }
        for worker in workers { await worker.stop(grace: .seconds(15)) }
        try await pool.execute("DELETE FROM job_worker")
        return try result.get()
    }

    func waitForEnd(of jobs: Int, _ kind: JobKind = NoopHandler.noop, since: Date) async throws {
        // Looked at so seldom that it costs nothing beside what is measured.
        try await JobsCluster.waiting("the end of \(jobs) jobs", limit: .seconds(300), every: .milliseconds(25)) {
            let ended: Int = try await pool.query(
                "SELECT count(*) AS n FROM job WHERE finished_at >= \(since) AND accepted_at >= \(since) AND kind = \(kind)")[0]
                .get("n")
            return ended >= jobs
        }
    }

    func now() async throws -> Date { try await pool.query("SELECT clock_timestamp() AS now")[0].get("now") }

    /// No-op tasks from the first job's acceptance to the last one's end, plan and commit of each job included.
    func tasks(workers: Int, slots: Int, jobs: Int, tasksPerJob: Int) async throws -> BenchSample {
        try await withWorkers(workers, slots: slots) { processes in
            let submissions = try (0..<jobs).map { _ in try submission(tasks: tasksPerJob) }
            let since = try await now()
            let cpu = cluster.cpuSeconds(with: processes)
            let began = ContinuousClock.now
            try await engine.accept(submissions)
            try await waitForEnd(of: jobs, since: since)
            let sample = BenchSample(
                wallSeconds: (ContinuousClock.now - began) / .seconds(1),
                cpuSeconds: cluster.cpuSeconds(with: processes) - cpu, bytes: jobs * tasksPerJob)
            let failed: Int = try await pool.query(
                "SELECT count(*) AS n FROM job WHERE accepted_at >= \(since) AND kind = \(NoopHandler.noop) AND state <> 'succeeded'"
            )[0].get("n")
            guard failed == 0 else { throw CommandFailure("\(failed) jobs did not succeed.", .failure) }
            return sample
        }
    }

    /// Jobs accepted for nobody, by so many clients at once; `batch` of them in a transaction.
    func accept(jobs: Int, clients: Int, batch: Int) async throws -> BenchSample {
        let submissions = try (0..<jobs).map { _ in try submission(NoopHandler.parked, tasks: 1) }
        let began = ContinuousClock.now
        let cpu = cluster.cpuSeconds(with: []) + ProcessTimes.seconds(of: getpid())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<clients {
                let mine = stride(from: client * batch, to: jobs, by: clients * batch)
                group.addTask {
                    for start in mine {
                        let some = Array(submissions[start..<min(start + batch, jobs)])
                        if some.count == 1 {
                            try await engine.accept(some[0]) { _ in }
                        } else {
                            try await engine.accept(some)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let wall = (ContinuousClock.now - began) / .seconds(1)
        let used = cluster.cpuSeconds(with: []) + ProcessTimes.seconds(of: getpid()) - cpu
        try await pool.execute("DELETE FROM outbox")
        try await pool.execute("DELETE FROM job WHERE kind = \(NoopHandler.parked)")
        try await pool.execute("VACUUM job, job_task, outbox")
        return BenchSample(wallSeconds: wall, cpuSeconds: used, bytes: jobs)
    }
}
