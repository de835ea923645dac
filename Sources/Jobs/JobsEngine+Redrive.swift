import FoundationEssentials
package import Postgres

extension JobsEngine {
    /// Has a failed job run again from the beginning, as the same job: under its own id, its signed specification and a
    /// new epoch, so that the signature which the API gave it still says everything a worker believes. Grants, tasks and
    /// objects are made anew; what its earlier life left is retired and collected by then, or this is refused.
    ///
    /// Throws `JobError.unknownJob`, and `JobError.invalid` with why where the job cannot run again.
    ///
    /// - Parameters:
    ///   - operatorName: who asks, for the dead letter.
    ///   - alongside: in the same transaction: the resource is CREATE_PENDING again, or the caller throws where it is gone.
    ///     It may run again, as that of `accept`.
    package func redrive(
        _ id: JobID, by operatorName: String, alongside: (JobRecord, PostgresConnection) async throws -> Void
    ) async throws {
        let job = try await store.transaction { connection in
            try await store.returnFromHistory(id, on: connection)
            let job = try await store.lockJob(id, on: connection)
            try await store.redrive(job, by: operatorName, on: connection)
            try await alongside(job, connection)
            return job
        }
        JobMetrics.redriven(job.kind)
        store.wakeRelay()
    }
}

extension JobStore {
    fileprivate func redrive(_ job: JobRecord, by operatorName: String, on connection: PostgresConnection) async throws {
        var machine = job.machine
        if case .refuse = machine.redriven() { throw JobError.cannotRunAgain(job.state) }
        // Its Names are used again: two grants under one Name could not be told apart.
        let left: Int = try await connection.query(
            "SELECT count(*) AS left FROM job_grant WHERE job = \(job.id) AND state <> 'retired'")[0].get("left")
        guard left == 0 else {
            throw JobError(.invalid, GrantRetirement.leftMessage(left) + " The job can run again once that is done.")
        }
        try await connection.execute("DELETE FROM job_grant WHERE job = \(job.id) AND state = 'retired'")
        try await connection.execute("DELETE FROM job_task WHERE job = \(job.id) AND epoch <= \(job.epoch)")
        let changed = try await connection.execute(
            """
            UPDATE job SET state = \(machine.state), epoch = \(machine.epoch), total_tasks = 0, open_tasks = 0, message = NULL,
                           manifest_object = NULL, manifest_digest = NULL, manifest_generation = NULL, commit_detail = NULL,
                           grants_left = 0, started_at = NULL, finalizing_at = NULL, retiring_at = NULL, ending_at = NULL,
                           finished_at = NULL, redrives = redrives + 1
            WHERE id = \(job.id) AND state = \(job.state) AND epoch = \(job.epoch)
            """)
        try requireOne(changed, "the job changed before it could run again")
        let planned = try await connection.execute(
            """
            INSERT INTO job_task (id, job, kind, version, account, role, priority, ordinal, epoch)
            VALUES (\(TaskID()), \(job.id), \(job.kind), \(job.specification.version), \(job.account), \(TaskRole.plan),
                    \(job.priority)::smallint, 0, \(machine.epoch))
            """)
        try requireOne(planned, "the plan exists already")
        try await connection.execute(
            """
            UPDATE job_dead_letter SET redriven_at = now(), redriven_by = left(\(operatorName), 256)
            WHERE job = \(job.id) AND redriven_at IS NULL
            """)
        try await ring(job.kind, job: job.id, on: connection)
    }
}
