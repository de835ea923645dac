import FoundationEssentials
import Logging
import Postgres

extension JobStore {
    /// Throws `leaseLost` unless the attempt still owns its task, and keeps it so until the transaction ends.
    func requireOwned(_ task: ClaimedTask, on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            """
            SELECT 1 FROM job_task
            WHERE id = \(task.id) AND fence = \(task.fence) AND epoch = \(task.epoch) AND state = 'running' FOR SHARE
            """)
        try requireOne(rows.count, "another attempt has it, or the job ended")
    }

    /// Ends a task under its fence and epoch.
    func end(
        _ task: ClaimedTask, as state: TaskState, error: String? = nil, on connection: PostgresConnection
    ) async throws {
        let changed = try await connection.execute(
            """
            UPDATE job_task SET state = \(state), lease_until = NULL, finished_at = clock_timestamp(),
                                last_error = coalesce(\(error)::text, last_error)
            WHERE id = \(task.id) AND fence = \(task.fence) AND epoch = \(task.epoch) AND state = 'running'
            """)
        try requireOne(changed, "another attempt has it, or the job ended")
    }

    /// Runs a transaction that ends `task` as `state`. Where the answer to its COMMIT was lost the row says what
    /// holds: only the holder of this fence can have ended the task under it.
    func settling(_ task: ClaimedTask, as state: TaskState, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as PostgresError where error.code == .commitInDoubt {
            let rows = try await pool.query(
                "SELECT 1 FROM job_task WHERE id = \(task.id) AND fence = \(task.fence) AND state = \(state)")
            guard rows.count == 1 else { throw JobError.retriable("A commit was lost.", cause: error) }
        }
        wakeRelay()
    }

    /// The job's first step; does nothing if an earlier attempt took it.
    package func begin(_ task: ClaimedTask, handler: any JobKindHandler) async throws {
        guard task.job.state == .pending else { return }
        try await transaction { connection in
            let job = try await lockJob(task.job.id, on: connection)
            try await requireOwned(task, on: connection)
            var machine = job.machine
            if case .refuse(let refusal) = machine.begun(by: task.epoch) { throw JobError.leaseLost("\(refusal)") }
            guard job.state == .pending else { return }
            let changed = try await connection.execute(
                """
                UPDATE job SET state = \(machine.state), started_at = clock_timestamp()
                WHERE id = \(job.id) AND state = \(job.state) AND epoch = \(job.epoch)
                """)
            try requireOne(changed, "the job changed before it could begin")
            try await handler.started(job, on: connection)
        }
    }

    /// Records a plan: its tasks, or at once the commit where it has none.
    package func finishPlan(_ task: ClaimedTask, tasks: [TaskSpecification]) async throws {
        try await settling(task, as: .done) {
            try await transaction { connection in
                let job = try await lockJob(task.job.id, on: connection)
                try await end(task, as: .done, on: connection)
                var machine = job.machine
                let action = machine.planned(tasks: tasks.count, by: task.epoch)
                let changed = try await connection.execute(
                    """
                    UPDATE job SET total_tasks = \(tasks.count), open_tasks = \(machine.openTasks)
                    WHERE id = \(job.id) AND state = \(job.state) AND epoch = \(job.epoch) AND total_tasks = 0
                    """)
                try requireOne(changed, "the job has a plan already")
                switch action {
                case .insertCommit: try await insertCommit(of: job, on: connection)
                case .insertTasks: try await insert(tasks, of: job, on: connection)
                case .refuse(let refusal): throw JobError.leaseLost("\(refusal)")
                default: preconditionFailure("A plan cannot lead to \(action).")
                }
                try await ring(job.kind, job: job.id, on: connection)
            }
        }
    }

    private func insert(_ tasks: [TaskSpecification], of job: JobRecord, on connection: PostgresConnection) async throws {
        // In batches: one statement for all could pass what a message to the server may hold.
        for start in stride(from: 0, to: tasks.count, by: Self.insertBatch) {
            let batch = Array(start..<min(start + Self.insertBatch, tasks.count))
            let inserted = try await connection.execute(
                """
                INSERT INTO job_task (id, job, kind, version, account, role, priority, ordinal, epoch, input, expected_bytes)
                SELECT gen_random_uuid(), \(job.id), \(job.kind), \(job.specification.version), \(job.account), 'work',
                       \(job.priority)::smallint, n.ordinal, \(job.epoch), n.input::jsonb, n.expected_bytes
                FROM unnest(\(batch), \(batch.map { tasks[$0].input.text }), \(batch.map { tasks[$0].expectedBytes }))
                    AS n (ordinal, input, expected_bytes)
                """)
            guard inserted == batch.count else { throw JobError(.invalid, "The tasks of a plan were not stored.") }
        }
    }

    private static let insertBatch = 500

    private func insertCommit(of job: JobRecord, on connection: PostgresConnection) async throws {
        let inserted = try await connection.execute(
            """
            INSERT INTO job_task (id, job, kind, version, account, role, priority, ordinal, epoch)
            VALUES (\(TaskID()), \(job.id), \(job.kind), \(job.specification.version), \(job.account),
                    \(TaskRole.commit), \(TaskPriority.ending)::smallint, 0, \(job.epoch))
            """)
        try requireOne(inserted, "the commit exists already")
    }

    /// Puts a task back after a retriable error.
    ///
    /// - Returns: false where its attempts have ended in such errors for too long: the caller fails the job.
    package func retry(_ task: ClaimedTask, after backoff: Duration, error: String) async throws -> Bool {
        let changed = try await pool.execute(
            """
            UPDATE job_task SET state = 'ready', lease_until = NULL, failures = failures + 1, last_error = \(error),
                                failing_since = coalesce(failing_since, now()), not_before = now() + \(backoff)
            WHERE id = \(task.id) AND fence = \(task.fence) AND epoch = \(task.epoch) AND state = 'running'
              AND (must_finish OR failing_since IS NULL OR failing_since + \(configuration.retryPeriod(of: task.job.kind)) > now())
            """)
        return changed == 1
    }

    /// Puts a task back that waits for something outside (leases that end, grants that cannot be retired yet).
    func postpone(_ task: ClaimedTask, for delay: Duration, isFailure: Bool) async throws {
        let changed = try await pool.execute(
            """
            UPDATE job_task SET state = 'ready', lease_until = NULL, failures = failures + \(isFailure ? 1 : 0),
                                not_before = now() + \(delay)
            WHERE id = \(task.id) AND fence = \(task.fence) AND epoch = \(task.epoch) AND state = 'running'
            """)
        try requireOne(changed, "another attempt has it")
    }

    /// A draining worker gives a task back; the attempt does not count.
    package func release(_ task: ClaimedTask) async throws {
        try await transaction { connection in
            let changed = try await connection.execute(
                """
                UPDATE job_task SET state = 'ready', lease_until = NULL, attempts = attempts - 1, not_before = now()
                WHERE id = \(task.id) AND fence = \(task.fence) AND epoch = \(task.epoch) AND state = 'running'
                """)
            guard changed == 1 else { return }
            try await ring(task.job.kind, job: task.job.id, on: connection)
        }
        wakeRelay()
    }

    /// Gives up the lease of a cancelled task, once its work has really ended: clean-up waits for it no longer.
    ///
    /// - Returns: whether the clean-up is due by this: nobody else is at work for the job.
    @discardableResult
    func releaseCancelled(_ task: ClaimedTask) async throws -> Bool {
        let changed = try await pool.execute(
            """
            UPDATE job_task SET lease_until = NULL
            WHERE id = \(task.id) AND fence = \(task.fence) AND epoch = \(task.epoch) AND state = 'cancelled'
            """)
        guard changed == 1 else {
            logger.debug("A cancelled lease was gone already", metadata: ["task": "\(task.id)"])
            return false
        }
        // Before, when it found the lease, the clean-up was put off.
        return try await pool.execute(
            """
            UPDATE job_task SET not_before = least(not_before, now())
            WHERE job = \(task.job.id) AND role = 'cleanup' AND state = 'ready'
              AND NOT EXISTS (SELECT FROM job_task AS t
                              WHERE t.job = \(task.job.id) AND t.state = 'cancelled' AND t.lease_until > now())
            """) == 1
    }
}
