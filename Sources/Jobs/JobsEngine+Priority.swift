import Postgres

extension JobsEngine {
    /// Gives a job and its tasks another priority, 1 (first) to 9 (last). Tasks at work go on; what ends a job keeps its own.
    ///
    /// - Returns: false where the job has ended.
    package func setPriority(_ priority: TaskPriority, of id: JobID) async throws -> Bool {
        guard TaskPriority.ofJobs.contains(priority.rawValue) else {
            throw JobError(
                .invalid, "A priority is \(TaskPriority.ofJobs.lowerBound) to \(TaskPriority.ofJobs.upperBound).")
        }
        return try await store.transaction { connection in
            guard let job = try await store.lockJobUnlessFinished(id, on: connection) else { return false }
            let changed = try await connection.execute(
                """
                UPDATE job SET priority = \(priority)::smallint
                WHERE id = \(id) AND state = \(job.state) AND epoch = \(job.epoch)
                """)
            try requireOne(changed, "the job changed before its priority could")
            try await connection.execute(
                """
                UPDATE job_task SET priority = \(priority)::smallint
                WHERE job = \(id) AND role IN ('plan', 'work') AND state IN ('ready', 'running')
                """)
            return true
        }
    }
}

extension JobStore {
    /// Reads a job under its row lock; nil where it has ended, however long ago. Throws `unknownJob`.
    func lockJobUnlessFinished(_ id: JobID, on connection: PostgresConnection) async throws -> JobRecord? {
        let rows = try await connection.query(
            "SELECT \(raw: JobRecord.columns) FROM job WHERE id = \(id) FOR NO KEY UPDATE")
        if let row = rows.first {
            let job = try JobRecord(row)
            return job.state.isTerminal ? nil : job
        }
        guard try await !connection.query("SELECT 1 FROM job_history WHERE id = \(id)").isEmpty else {
            throw JobError(.unknownJob, "There is no such job.")
        }
        return nil
    }
}
