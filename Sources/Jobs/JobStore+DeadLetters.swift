import FoundationEssentials
import Postgres

extension JobStore {
    /// Records of what a job died, in the transaction that fences it: with the task as it stood, before it is cancelled.
    func bury(
        _ job: JobRecord, reason: DeathReason, message: String, of task: TaskID, on connection: PostgresConnection
    ) async throws {
        let buried = try await connection.execute(
            """
            INSERT INTO job_dead_letter (job, epoch, kind, account, resource, reason, message, role, ordinal, attempts,
                                         losses, failures, worker, last_error)
            SELECT \(job.id), \(job.epoch), \(job.kind), \(job.account), \(job.resourceARN), \(reason.rawValue), \(message),
                   role, ordinal, attempts, losses, failures, worker, last_error
            FROM job_task WHERE id = \(task) AND job = \(job.id)
            """)
        try requireOne(buried, "the task of a dead job is gone")
        JobMetrics.died(job.kind, reason)
    }
}
