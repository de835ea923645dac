package import Logging
package import Postgres
import ServiceLifecycle

/// Makes good what workers could not: tasks nobody rang for, tasks that cost too many workers, grants and objects that
/// are left. Any number may run: every write is conditional, and rows are taken with SKIP LOCKED.
package struct Sweeper: Service {
    package struct Configuration: Sendable {
        /// Between two sweeps of the tables.
        package var interval: Duration
        /// Between two listings of all grants at KMS.
        package var reconcileInterval: Duration
        /// A task that is due this long and not rung since is rung again.
        package var ringAfter: Duration

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

    package init(
        configuration: Configuration = Configuration(), jobs: JobsConfiguration = JobsConfiguration(),
        pool: PostgresPool, retirer: any GrantRetirer, lister: any GrantLister, remover: any ObjectRemover,
        wakeRelay: @escaping @Sendable () -> Void = {}, logger: Logger
    ) {
        self.configuration = configuration
        self.retirer = retirer
        self.remover = remover
        self.logger = logger
        store = JobStore(pool: pool, configuration: jobs, logger: logger, wakeRelay: wakeRelay)
        retirement = GrantRetirement(store: store, retirer: retirer, lister: lister, logger: logger)
    }

    package func run() async throws {
        try? await cancelWhenGracefulShutdown {
            var nextReconcile = ContinuousClock.now
            while true {
                await sweep()
                if ContinuousClock.now >= nextReconcile {
                    await step("grants without a record") { try await reconcileGrants() }
                    nextReconcile = .now + configuration.reconcileInterval
                }
                try await Task.sleep(for: configuration.interval)
            }
        }
    }

    /// One sweep of everything but the reconciliation. What fails is logged and tried again by the next.
    package func sweep() async {
        await step("exhausted tasks") { try await store.failExhausted(limit: Self.batch) }
        await step("unrung tasks") { try await ringAgain() }
        await step("expired reading grants") { try await store.expireReadGrants() }
        await step("unretired grants") { try await retireLeftGrants() }
        await step("superseded objects") { try await store.discardSuperseded(limit: Self.batch) }
        await step("unreferenced objects") { try await collectObjects() }
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

    /// A ring a kind is enough: whoever hears it looks for all of them.
    func ringAgain() async throws -> Int {
        let count = try await store.transaction { connection in
            let rows = try await connection.query(
                """
                WITH due AS (
                    SELECT id FROM job_task
                    WHERE (state = 'ready' OR state = 'running' AND lease_until <= now())
                      AND not_before + \(configuration.ringAfter) <= now()
                      AND rung_at + \(configuration.ringAfter) <= now()
                    ORDER BY not_before LIMIT \(Self.batch) FOR NO KEY UPDATE SKIP LOCKED
                )
                UPDATE job_task AS t SET rung_at = now() FROM due WHERE t.id = due.id
                RETURNING t.kind, t.job
                """)
            var rung: Set<JobKind> = []
            for row in rows {
                let kind: JobKind = try row.get("kind")
                guard rung.insert(kind).inserted else { continue }
                try await store.ring(kind, job: try row.get("job"), on: connection)
            }
            return rows.count
        }
        if count > 0 {
            store.wakeRelay()
            JobMetrics.rungAgain(count)
        }
        return count
    }
}
