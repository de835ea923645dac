import ArgumentParser
import Foundation
import Jobs
import Kafka
import Logging
import Outbox
import Postgres

/// What is measured by the clock: how soon work starts, how soon a dead worker's work goes on, what waiting costs.
extension JobsDatabaseUnderTest {
    /// From acceptance to the start of the plan, by the database's clock, of jobs that come at a steady rate whatever
    /// becomes of them: through the outbox, a relay of the accepting process and the embedded broker.
    ///
    /// - Returns: seconds, sorted, and the share of jobs that was refused because all connections were taken, as an API refuses them.
    func startLatencies(perSecond rate: Int, seconds: Double) async throws -> (sorted: [Double], refused: Double) {
        let producer = try KafkaProducer(
            configuration: .embedded(bootstrap: .file(cluster.folder.brokerAddress), clientID: "bench-api"),
            logger: JobsCluster.logger)
        let relay = try OutboxRelay(pool: pool, publisher: producer, logger: JobsCluster.logger)
        let engine = JobsEngine(pool: pool, logger: JobsCluster.logger, wakeRelay: { relay.wake() })
        return try await withWorkers(1, slots: 16) { _ in
            try await withThrowingTaskGroup(of: Void.self) { services in
                services.addTask { try await producer.run() }
                services.addTask { try await relay.run() }
                // The group's first join takes three seconds at the embedded broker: jobs before that wait for a beat.
                _ = try await submit(try (0..<20).map { _ in try submission(tasks: 1) }, every: .milliseconds(250), engine)
                let jobs = try (0..<max(10, Int(Double(rate) * seconds))).map { _ in try submission(tasks: 1) }
                let since = try await now()
                let accepted = try await submit(jobs, every: .seconds(1) / rate, engine)
                guard accepted > 0 else { throw CommandFailure("No job was accepted at \(rate) a second.", .failure) }
                try await waitForEnd(of: accepted, since: since)
                services.cancelAll()
                let sorted: [Double] = try await pool.query(
                    """
                    SELECT extract(epoch FROM started_at - accepted_at)::float8 AS seconds FROM job
                    WHERE kind = \(NoopHandler.noop) AND accepted_at >= \(since) ORDER BY 1
                    """
                ).map { try $0.get("seconds") }
                return (sorted, 1 - Double(accepted) / Double(jobs.count))
            }
        }
    }

    /// The floor under every start: what a commit of one row takes, at a steady rate and with nothing else at work.
    ///
    /// - Returns: seconds, sorted.
    func commitLatencies(perSecond rate: Int, seconds: Double) async throws -> [Double] {
        try await pool.execute("CREATE TABLE IF NOT EXISTS raw_commit (id bigserial PRIMARY KEY)")
        let began = ContinuousClock.now
        var times: [Double] = []
        for number in 0..<max(10, Int(Double(rate) * seconds)) {
            try await Task.sleep(until: began + .seconds(1) / rate * number, tolerance: .microseconds(200))
            let sent = ContinuousClock.now
            try await pool.execute("INSERT INTO raw_commit DEFAULT VALUES")
            times.append((ContinuousClock.now - sent) / .seconds(1))
        }
        try await pool.execute("DROP TABLE raw_commit")
        return times.sorted()
    }

    /// - Returns: how many were accepted.
    private func submit(_ jobs: [JobSubmission], every interval: Duration, _ engine: JobsEngine) async throws -> Int {
        let began = ContinuousClock.now
        return try await withThrowingTaskGroup(of: Bool.self) { group in
            for (number, job) in jobs.enumerated() {
                try await Task.sleep(until: began + interval * number, tolerance: .microseconds(200))
                group.addTask {
                    do {
                        try await engine.accept(job) { _ in }
                        return true
                    } catch let error as PostgresError where error.code == .poolExhausted {
                        return false
                    }
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
    }

    /// From `kill -9` of the worker that holds a task to that task's end at another worker.
    func recovery() async throws -> Double {
        try await withWorkers(2, slots: 2) { workers in
            let job = try submission(NoopHandler.hold, tasks: 1)
            try await engine.accept(job) { _ in }
            var holder: String?
            try await JobsCluster.waiting("a held task") {
                holder = try await pool.query(
                    "SELECT worker FROM job_task WHERE job = \(job.id) AND role = 'work' AND state = 'running'"
                ).first?.get("worker")
                return holder != nil
            }
            guard let victim = workers.first(where: { $0.name == holder }) else {
                throw CommandFailure("Nobody holds the task.", .failure)
            }
            // At any moment between two beats.
            try await Task.sleep(for: .milliseconds(.random(in: 500...1500)))
            victim.signal(SIGKILL)
            let killed = try await now()
            try await JobsCluster.waiting("the job's end") { try await engine.job(job.id)?.state == .succeeded }
            return try await pool.query(
                """
                SELECT extract(epoch FROM finished_at - \(killed))::float8 AS seconds FROM job_task
                WHERE job = \(job.id) AND role = 'work'
                """)[0].get("seconds")
        }
    }

    /// From the request to stop a running job to its end, by the database's clock: the worker hears of it by the control
    /// topic, and where Kafka answers nobody by its beat.
    func stop(withKafka: Bool) async throws -> Double {
        if !withKafka { cluster.pauseBroker(true) }
        defer { if !withKafka { cluster.pauseBroker(false) } }
        let producer = try KafkaProducer(
            configuration: .embedded(bootstrap: .file(cluster.folder.brokerAddress), clientID: "bench-api"),
            logger: JobsCluster.logger)
        let relay = try OutboxRelay(pool: pool, publisher: producer, logger: JobsCluster.logger)
        let engine = JobsEngine(pool: pool, logger: JobsCluster.logger, wakeRelay: { relay.wake() })
        return try await withWorkers(1, slots: 2) { _ in
            try await withThrowingTaskGroup(of: Void.self) { services in
                services.addTask { try await producer.run() }
                services.addTask { try await relay.run() }
                let job = try submission(NoopHandler.hold, tasks: 1)
                try await engine.accept(job) { _ in }
                try await JobsCluster.waiting("a held task") {
                    try await !pool.query(
                        "SELECT 1 FROM job_task WHERE job = \(job.id) AND role = 'work' AND state = 'running'"
                    ).isEmpty
                }
                // The tail of the control topic is positioned; and at any moment between two beats.
                try await Task.sleep(for: .milliseconds(.random(in: 2_000...3_000)))
                _ = try await engine.stop(job.id)
                try await JobsCluster.waiting("the job's end") {
                    try await engine.job(job.id)?.state == .stopped
                }
                services.cancelAll()
                return try await pool.query(
                    "SELECT extract(epoch FROM finished_at - ending_at)::float8 AS seconds FROM job WHERE id = \(job.id)")[0]
                    .get("seconds")
            }
        }
    }

    /// CPU time of a worker with nothing to do, as it and as the whole of worker, server and broker; seconds a second.
    func idle(seconds: Double) async throws -> (worker: Double, all: Double) {
        try await withWorkers(1, slots: 16) { workers in
            // The group has joined by then.
            try await Task.sleep(for: .seconds(5))
            let (worker, all) = (ProcessTimes.seconds(of: workers[0].pid), cluster.cpuSeconds(with: workers))
            try await Task.sleep(for: .seconds(seconds))
            return (
                (ProcessTimes.seconds(of: workers[0].pid) - worker) / seconds,
                (cluster.cpuSeconds(with: workers) - all) / seconds
            )
        }
    }

    /// Finished jobs, the last hour's where work is claimed and the others in the history, and a queue that stands behind
    /// everything measured (priority 9, of fifty accounts).
    func fill(finished: Int, queued: Int) async throws {
        let template = try submission(tasks: 1)
        let recent = finished / 100
        for (count, age) in [(recent, "interval '1 minute'"), (finished - recent, "interval '1 day'")] {
            try await pool.execute(
                """
                INSERT INTO job (id, kind, version, account, resource, incarnation, specification, signature, source_address,
                                 user_agent, state, total_tasks, retiring_at, accepted_at, started_at, finished_at)
                SELECT gen_random_uuid(), \(NoopHandler.noop), 1, \(Self.account), \(template.specification.resourceARN),
                       gen_random_uuid(), \(template.specification.document), \(template.signature), '192.0.2.1', 'bench',
                       'succeeded', 1, now() - \(raw: age), now() - \(raw: age), now() - \(raw: age), now() - \(raw: age)
                FROM generate_series(1, \(count))
                """)
            try await pool.execute(
                """
                INSERT INTO job_task (id, job, kind, version, account, role, priority, ordinal, epoch, state, fence, attempts,
                                      finished_at)
                SELECT gen_random_uuid(), j.id, j.kind, 1, j.account, r.role, CASE r.role WHEN 'commit' THEN 0 ELSE 5 END, 0, 1,
                       'done', 1, 1, j.finished_at
                FROM job AS j CROSS JOIN (VALUES ('plan'), ('work'), ('commit')) AS r (role)
                WHERE NOT EXISTS (SELECT FROM job_task AS t WHERE t.job = j.id)
                """)
            guard age.contains("day") else { continue }
            // As the sweeper does it, until all are moved.
            let sweeper = Sweeper(
                name: "filling", pool: pool, retirer: NothingLeft(), lister: NothingLeft(), remover: NothingLeft(),
                logger: JobsCluster.logger)
            while let term = try await sweeper.campaign() {
                let store = JobStore(pool: pool, configuration: JobsConfiguration(), logger: JobsCluster.logger)
                if try await store.archive(limit: 20_000, term: term) == 0 { break }
            }
            try await sweeper.resign()
        }
        for account in 0..<50 {
            let jobs = try (0..<queued / 50).map { _ in
                try submission(tasks: 1, account: String(200_000_000_000 + account))
            }
            try await engine.accept(jobs, priority: TaskPriority(rawValue: 9))
        }
        try await pool.execute("DELETE FROM outbox")
        try await pool.execute("VACUUM ANALYZE")
    }
}
