import FoundationEssentials
import Postgres

extension JobStore {
    /// Fails the jobs of tasks that lost so many leases that nobody may claim them again. Any number of processes may
    /// do this at once: the second finds nothing to change.
    package func failExhausted(limit: Int, term: LeadershipTerm) async throws -> Int {
        let rows = try await pool.query(
            """
            SELECT id, job, fence, losses + 1 AS losses FROM job_task
            WHERE state = 'running' AND lease_until <= now() AND NOT must_finish
              AND losses + 1 >= \(configuration.lossesMax) AND \(holds: term)
            ORDER BY lease_until LIMIT \(limit)
            """)
        var failed = 0
        for row in rows {
            let losses: Int = try row.get("losses")
            let message = "The job was ended because one of its tasks lost \(losses) workers."
            failed +=
                try await failExhausted(
                    try row.get("id"), of: try row.get("job"), fence: try row.get("fence"), message: message, term: term)
                ? 1 : 0
        }
        if failed > 0 { wakeRelay() }
        return failed
    }

    private func failExhausted(
        _ task: TaskID, of id: JobID, fence: Fence, message: String, term: LeadershipTerm
    ) async throws -> Bool {
        do {
            return try await transaction { connection in
                let job = try await lockJob(id, on: connection)
                let changed = try await connection.execute(
                    """
                    UPDATE job_task SET state = 'failed', lease_until = NULL, finished_at = clock_timestamp(),
                                        losses = losses + 1, last_error = coalesce(last_error, \(message))
                    WHERE id = \(task) AND fence = \(fence) AND epoch = \(job.epoch) AND state = 'running'
                      AND lease_until <= clock_timestamp() AND NOT must_finish AND \(holds: term)
                    """)
                guard changed == 1 else { return false }
                try await bury(job, reason: .workersLost, message: message, of: task, on: connection)
                try await fail(job, by: job.epoch, message: message, on: connection)
                return true
            }
        } catch let error as JobError where error.code == .leaseLost {
            return false
        }
    }
}
