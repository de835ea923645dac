package import Logging
package import Postgres
import ServiceLifecycle

/// Makes good what workers could not: tasks nobody rang for, tasks that cost too many workers, grants and objects that
/// are left, jobs that are over. Any number may run, one of them sweeps: the leader of the term. Every write carries the
/// term and is conditional besides, and rows are taken with SKIP LOCKED.
package struct Sweeper: Service {
    package struct Configuration: Sendable {
        /// Between two sweeps of the tables.
        package var interval: Duration
        /// Between two listings of all grants at KMS.
        package var reconcileInterval: Duration
        /// A task that is due this long and not rung since is rung again.
        package var ringAfter: Duration
        /// Between two readings of the queues' lengths.
        package var readingInterval: Duration = .seconds(2)

        package init(
            interval: Duration = .seconds(1), reconcileInterval: Duration = .seconds(60),
            ringAfter: Duration = .seconds(10)
        ) {
            self.interval = interval
            self.reconcileInterval = reconcileInterval
            self.ringAfter = ringAfter
        }
    }

    /// Rows of one kind that one sweep takes.
    package static let batch = 100

    let configuration: Configuration
    let store: JobStore
    let retirement: GrantRetirement
    let retirer: any GrantRetirer
    let remover: any ObjectRemover
    let logger: Logger
    let leadership: Leadership

    /// - Parameter name: unique among all processes, ever: it leads under this name.
    package init(
        name: String, configuration: Configuration = Configuration(), jobs: JobsConfiguration = JobsConfiguration(),
        pool: PostgresPool, retirer: any GrantRetirer, lister: any GrantLister, remover: any ObjectRemover,
        wakeRelay: @escaping @Sendable () -> Void = {}, logger: Logger
    ) {
        self.configuration = configuration
        self.retirer = retirer
        self.remover = remover
        self.logger = logger
        store = JobStore(pool: pool, configuration: jobs, logger: logger, wakeRelay: wakeRelay)
        retirement = GrantRetirement(store: store, retirer: retirer, lister: lister, logger: logger)
        leadership = Leadership(Leadership.sweeper, leader: name, store: store)
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                // Apart from the sweeping: a call to KMS that takes its time must not cost the term.
                group.addTask { await stand() }
                group.addTask { await readWhileLeading() }
                await sweepWhileLeading()
                group.cancelAll()
            }
        }
        await step("resignation") {
            try await leadership.resign()
            return 0
        }
    }

    /// Stands for election, or renews its term, several times within each.
    private func stand() async {
        repeat {
            let led = leadership.term != nil
            await step("election") {
                if let term = try await leadership.campaign(), !led {
                    logger.info("This process sweeps", metadata: ["term": "\(term.number)"])
                }
                return 0
            }
            JobMetrics.leads(leadership.term != nil)
        } while (try? await Task.sleep(for: store.configuration.lease / 5)) != nil
    }

    private func sweepWhileLeading() async {
        var nextRound = ContinuousClock.now
        repeat {
            guard let term = leadership.term else { continue }
            await sweep(term)
            guard ContinuousClock.now >= nextRound, leadership.term == term else { continue }
            await step("grants without a record") { try await reconcileGrants(term) }
            await step("tasks that nobody serves") { try await reportUnserved() }
            await step("days that are over") { try await store.forgetHistory(term: term) }
            nextRound = .now + configuration.reconcileInterval
        } while (try? await Task.sleep(for: configuration.interval)) != nil
    }

    /// How full the tables are, for metrics: told by the leader alone, so that it is asked once however many processes there are.
    /// Where much waits a reading takes longer, and they come more seldom: they have a twentieth of the time at most.
    private func readWhileLeading() async {
        var pause = configuration.readingInterval
        repeat {
            pause = configuration.readingInterval
            guard leadership.term != nil else {
                QueueReadings.forget()
                continue
            }
            let began = ContinuousClock.now
            await step("reading of the queues") {
                try await store.readQueues().publish()
                return 0
            }
            pause = max(pause, (ContinuousClock.now - began) * 20)
        } while (try? await Task.sleep(for: pause)) != nil
        QueueReadings.forget()
    }

    /// One sweep of everything but what is done once a minute, if this process leads or can. What fails is logged and
    /// tried again by the next.
    package func sweep() async {
        await step("election") {
            if let term = try await leadership.campaign() { await sweep(term) }
            return 0
        }
    }

    /// The term of this process; nil while another leads.
    package func resign() async throws { try await leadership.resign() }

    package func campaign() async throws -> LeadershipTerm? { try await leadership.campaign() }

    package func sweep(_ term: LeadershipTerm) async {
        await step("exhausted tasks") { try await store.failExhausted(limit: Self.batch, term: term) }
        await step("unrung tasks") { try await ringAgain(term) }
        await step("expired reading grants") { try await store.expireReadGrants(term) }
        await step("unretired grants") { try await retireLeftGrants(term) }
        await step("superseded objects") { try await store.discardSuperseded(limit: Self.batch, term: term) }
        await step("unreferenced objects") { try await collectObjects(term) }
        await step("finished jobs") { try await archive(term) }
    }

    /// Batch after batch, while there is more and the term lasts.
    private func archive(_ term: LeadershipTerm) async throws -> Int {
        var moved = 0
        for _ in 0..<Self.archiveBatches where term.holds(at: .now) || leadership.term == term {
            let batch = try await store.archive(term: term)
            moved += batch
            if batch < JobStore.archiveBatch { break }
        }
        JobMetrics.archived(moved)
        return moved
    }

    private static let archiveBatches = 20

    /// Left alone, said aloud: a kind or version that is newer than every worker waits for the worker that knows it.
    private func reportUnserved() async throws -> Int {
        let unserved = try await store.unserved()
        JobMetrics.unserved(Dictionary(unserved.map { ($0.kind, $0.tasks) }, uniquingKeysWith: +))
        for (kind, version, tasks) in unserved {
            logger.warning(
                "No worker that runs serves these tasks",
                metadata: ["kind": "\(kind)", "version": "\(version)", "tasks": "\(tasks)"])
        }
        return unserved.count
    }

    private func step(_ name: String, _ body: () async throws -> Int) async {
        do {
            let count = try await body()
            if count > 0 { logger.info("Swept", metadata: ["what": "\(name)", "count": "\(count)"]) }
        } catch is CancellationError {
            return
        } catch {
            logger.warning("A sweep failed", metadata: ["what": "\(name)", "error": "\(error)"])
        }
    }

    /// Rings for kinds that have tasks which nobody took for a while. A ring a kind is enough: whoever hears it looks for
    /// all of them.
    func ringAgain(_ term: LeadershipTerm) async throws -> Int {
        let count = try await store.transaction { connection in
            let rows = try await connection.query(
                """
                WITH RECURSIVE ready AS (
                    (SELECT kind FROM job_task WHERE state = 'ready' ORDER BY kind LIMIT 1)
                    UNION ALL
                    SELECT next.kind FROM ready AS r CROSS JOIN LATERAL (
                        SELECT kind FROM job_task WHERE state = 'ready' AND kind > r.kind ORDER BY kind LIMIT 1
                    ) AS next
                ), due AS (
                    SELECT r.kind FROM ready AS r WHERE EXISTS (
                        SELECT FROM job_task AS t
                        WHERE t.state = 'ready' AND t.kind = r.kind AND t.not_before + \(configuration.ringAfter) <= now())
                    UNION
                    SELECT kind FROM job_task
                    WHERE state = 'running' AND lease_until + \(configuration.ringAfter) <= now()
                )
                INSERT INTO job_ring AS r (kind, rung_at)
                SELECT kind, now() FROM due WHERE \(holds: term)
                ON CONFLICT (kind) DO UPDATE SET rung_at = excluded.rung_at
                WHERE r.rung_at + \(configuration.ringAfter) <= now() AND \(holds: term)
                RETURNING r.kind
                """)
            for row in rows { try await store.ring(try row.get("kind"), on: connection) }
            return rows.count
        }
        if count > 0 {
            store.wakeRelay()
            JobMetrics.rungAgain(count)
        }
        return count
    }
}
