import Postgres

extension JobStore {
    /// Begins the end of a job, under its row lock: raises the epoch, which fences all of its tasks at once, cancels
    /// them, sets its grants to retiring and inserts the clean-up.
    ///
    /// - Parameter machine: the job's machine behind the event that fenced it.
    func fence(
        _ job: JobRecord, into machine: JobStateMachine, message: String?, on connection: PostgresConnection
    ) async throws {
        let changed = try await connection.execute(
            """
            UPDATE job SET state = \(machine.state), epoch = \(machine.epoch), open_tasks = 0, message = \(message),
                           ending_at = clock_timestamp()
            WHERE id = \(job.id) AND state = \(job.state) AND epoch = \(job.epoch)
            """)
        try requireOne(changed, "the job changed before it could be fenced")
        try await cancelTasks(of: job, on: connection)
        try await setGrantsRetiring(of: job.id, on: connection)
        let inserted = try await connection.execute(
            """
            INSERT INTO job_task (id, job, kind, version, account, role, priority, ordinal, epoch, must_finish)
            VALUES (\(TaskID()), \(job.id), \(job.kind), \(job.specification.version), \(job.account),
                    \(TaskRole.cleanup), \(TaskPriority.ending)::smallint, 0, \(machine.epoch), true)
            """)
        try requireOne(inserted, "the clean-up exists already")
        try await ring(job.kind, job: job.id, on: connection)
        try await announce("ending", job: job.id, on: connection)
    }

    /// Cancels what is not over. Leases that still run stay in the rows: clean-up waits for their end.
    func cancelTasks(of job: JobRecord, on connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            UPDATE job_task SET state = 'cancelled', finished_at = clock_timestamp()
            WHERE job = \(job.id) AND epoch = \(job.epoch) AND state IN ('ready', 'running')
            """)
    }

    func setGrantsRetiring(of job: JobID, on connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            UPDATE job_grant SET state = 'retiring', retire_after = clock_timestamp()
            WHERE job = \(job) AND state IN ('intended', 'active')
            """)
    }

    /// Fails a job for an error of one of its tasks, which is fenced by its own fence and epoch.
    package func fail(_ task: ClaimedTask, message: String, death: DeathReason? = nil) async throws {
        try await transaction { connection in
            let job = try await lockJob(task.job.id, on: connection)
            try await end(task, as: .failed, error: message, on: connection)
            if let death {
                try await bury(job, reason: death, message: message, of: task.id, on: connection)
            }
            try await fail(job, by: task.epoch, message: message, on: connection)
        }
        wakeRelay()
    }

    func fail(_ job: JobRecord, by epoch: Epoch, message: String, on connection: PostgresConnection) async throws {
        var machine = job.machine
        switch machine.failed(by: epoch) {
        case .cleanUp: try await fence(job, into: machine, message: message, on: connection)
        case .refuse(let refusal): throw JobError.leaseLost("\(refusal)")
        case let action: preconditionFailure("Failing a job cannot lead to \(action).")
        }
        JobMetrics.failing(job.kind)
    }
}
