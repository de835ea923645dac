import FoundationEssentials
import Postgres

extension JobStore {
    /// Claims up to `limit` tasks of the kinds (each up to its version): those that are ready, then those whose lease
    /// ran out under another worker. Each gets a lease and a new fence. Kinds and versions that are not named stay.
    ///
    /// `TaskStateMachine.claimed` for many rows at once.
    package func claim(
        _ kinds: [(kind: JobKind, version: Int)], limit: Int, worker: String
    ) async throws -> [ClaimedTask] {
        // Taken before the statement is sent: the lease that the database gives cannot end earlier than this says.
        let trustFrom = ContinuousClock.now
        let names = kinds.map(\.kind.rawValue)
        let versions = kinds.map(\.version)
        var rows = try await pool.query(
            """
            WITH due AS (
                SELECT t.id FROM unnest(\(names)::text[], \(versions)::bigint[]) AS k (kind, version)
                CROSS JOIN LATERAL (
                    SELECT id FROM job_task
                    WHERE kind = k.kind AND version <= k.version AND state = 'ready' AND not_before <= now()
                    ORDER BY not_before, id LIMIT \(limit) FOR UPDATE SKIP LOCKED
                ) AS t
                LIMIT \(limit)
            )
            UPDATE job_task AS t
            SET state = 'running', fence = fence + 1, attempts = attempts + 1, worker = \(worker),
                lease_until = now() + \(configuration.lease), started_at = coalesce(started_at, now())
            FROM due WHERE t.id = due.id AND t.state = 'ready'
            RETURNING \(raw: Self.claimColumns)
            """)
        if rows.count < limit {
            rows += try await claimLost(names, versions, limit: limit - rows.count, worker: worker)
        }
        guard !rows.isEmpty else { return [] }
        return try await claimed(rows, trustFrom: trustFrom)
    }

    private static let claimColumns = """
        t.id, t.job, t.role, t.ordinal, t.input, t.expected_bytes, t.epoch, t.fence, t.attempts, t.losses, t.failures
        """

    private func claimLost(
        _ names: [String], _ versions: [Int], limit: Int, worker: String
    ) async throws -> [PostgresRow] {
        let pause = Duration.seconds(TaskStateMachine.pauseAfterManyLosses)
        let rows = try await pool.query(
            """
            WITH lost AS (
                SELECT t.id, t.fence FROM job_task AS t
                JOIN unnest(\(names)::text[], \(versions)::bigint[]) AS k (kind, version)
                  ON t.kind = k.kind AND t.version <= k.version
                WHERE t.state = 'running' AND t.lease_until <= now()
                  AND (t.losses + 1 < \(configuration.lossesMax)
                       OR (t.must_finish AND t.lease_until + \(pause) <= now()))
                ORDER BY t.lease_until LIMIT \(limit) FOR UPDATE OF t SKIP LOCKED
            )
            UPDATE job_task AS t
            SET fence = t.fence + 1, attempts = attempts + 1, losses = losses + 1, worker = \(worker),
                lease_until = now() + \(configuration.lease)
            FROM lost WHERE t.id = lost.id AND t.fence = lost.fence AND t.state = 'running'
            RETURNING \(raw: Self.claimColumns)
            """)
        if !rows.isEmpty { JobMetrics.leasesExpired(rows.count) }
        return rows
    }

    private func claimed(_ rows: [PostgresRow], trustFrom: ContinuousClock.Instant) async throws -> [ClaimedTask] {
        let ids = Set(try rows.map { try $0.get("job", as: UUID.self) })
        var jobs: [JobID: JobRecord] = [:]
        for row in try await pool.query("SELECT \(raw: JobRecord.columns) FROM job WHERE id = ANY(\(Array(ids)))") {
            let job = try JobRecord(row)
            jobs[job.id] = job
        }
        let trust = TrustWindow(from: trustFrom, lease: configuration.lease, margin: configuration.trustMargin)
        return try rows.compactMap { row in
            guard let job = jobs[try row.get("job")] else { return nil }
            return ClaimedTask(
                id: try row.get("id"), job: job, role: try row.get("role"), ordinal: try row.get("ordinal"),
                specification: TaskSpecification(
                    input: try row.get("input"), expectedBytes: try row.get("expected_bytes")),
                epoch: try row.get("epoch"), fence: try row.get("fence"), attempt: try row.get("attempts"),
                losses: try row.get("losses"), failures: try row.get("failures"), lease: HeldLease(trust))
        }
    }

    /// Fails the jobs of tasks that lost so many leases that nobody may claim them again. Any number of processes may
    /// do this at once: the second finds nothing to change.
    package func failExhausted(limit: Int) async throws -> Int {
        let rows = try await pool.query(
            """
            SELECT id, job, fence, losses + 1 AS losses FROM job_task
            WHERE state = 'running' AND lease_until <= now() AND NOT must_finish
              AND losses + 1 >= \(configuration.lossesMax)
            ORDER BY lease_until LIMIT \(limit)
            """)
        var failed = 0
        for row in rows {
            let losses: Int = try row.get("losses")
            let message = "The job was ended because one of its tasks lost \(losses) workers."
            failed +=
                try await failExhausted(
                    try row.get("id"), of: try row.get("job"), fence: try row.get("fence"), message: message) ? 1 : 0
        }
        if failed > 0 { wakeRelay() }
        return failed
    }

    private func failExhausted(_ task: TaskID, of id: JobID, fence: Fence, message: String) async throws -> Bool {
        do {
            return try await transaction { connection in
                let job = try await lockJob(id, on: connection)
                let changed = try await connection.execute(
                    """
                    UPDATE job_task SET state = 'failed', lease_until = NULL, finished_at = clock_timestamp(),
                                        losses = losses + 1, last_error = \(message)
                    WHERE id = \(task) AND fence = \(fence) AND epoch = \(job.epoch) AND state = 'running'
                      AND lease_until <= clock_timestamp() AND NOT must_finish
                    """)
                guard changed == 1 else { return false }
                try await fail(job, by: job.epoch, message: message, on: connection)
                JobMetrics.poisoned(job.kind)
                return true
            }
        } catch let error as JobError where error.code == .leaseLost {
            return false
        }
    }
}
