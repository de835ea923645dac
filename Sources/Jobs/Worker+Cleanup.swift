import Logging
import Postgres

extension Worker {
    /// The end of a job that failed or was stopped, after its epoch was raised: retire grants → wait for leases to
    /// end → retire grants that were created without a record → remove objects → terminal transaction.
    ///
    /// It is a task with lease and fence like any other, so it is taken over where its worker dies.
    func cleanUp(_ task: ClaimedTask, handler: any JobKindHandler, trustsSpecification: Bool) async throws {
        try await faults.reach(.fenced)
        let job = task.job
        try await retirement.retireRecorded(of: job, trustsSpecification: trustsSpecification)
        if let wait = try await store.remainingLease(of: job.id) {
            try await store.postpone(task, for: wait, isFailure: false)
            return look(after: wait)
        }
        try await retirement.retireUnrecorded(of: job)
        await removeObjects(of: job)
        try task.lease.check()
        let state = try await retirement.state(of: job.id)
        guard state.unretired == 0 || state.deadlinePassed else { return try await postpone(task) }
        try await faults.reach(.cleanedUp)
        try await store.end(task, left: state.unretired, handler: handler)
    }

    /// What cannot be removed now stays in the table for the collector, as does what may still land.
    private func removeObjects(of job: JobRecord) async {
        do {
            for name in try await store.objectNames(of: job.id) {
                try await remover.remove(name)
            }
        } catch {
            logger.warning("Objects of a job stay for the collector", metadata: ["job": "\(job.id)", "error": "\(error)"])
        }
    }
}

extension JobStore {
    /// How long some cancelled task of the job may still be at work; nil when none is.
    func remainingLease(of job: JobID) async throws -> Duration? {
        let rows = try await pool.query(
            """
            SELECT max(lease_until) - now() AS remaining FROM job_task
            WHERE job = \(job) AND state = 'cancelled' AND lease_until > now()
            """)
        guard let remaining = try rows.first?.get("remaining", as: Duration?.self) else { return nil }
        // Workers hear of it with their next beat and let go: looking again then beats waiting for the lease's end.
        return min(remaining, configuration.beat / 4)
    }

    func objectNames(of job: JobID) async throws -> [String] {
        try await pool.query("SELECT name FROM job_object WHERE job = \(job) ORDER BY name").map { try $0.get("name") }
    }

    /// The terminal transaction of a job that failed or was stopped.
    func end(_ task: ClaimedTask, left: Int, handler: any JobKindHandler) async throws {
        try await settling(task, as: .done) {
            try await transaction { connection in
                let job = try await lockJob(task.job.id, on: connection)
                try await end(task, as: .done, on: connection)
                var machine = job.machine
                if case .refuse(let refusal) = machine.cleanedUp(by: task.epoch) {
                    throw JobError.leaseLost("\(refusal)")
                }
                let leftNow = try await connection.execute(
                    "UPDATE job_grant SET state = 'left' WHERE job = \(job.id) AND state <> 'retired'")
                guard leftNow <= left else { throw JobError.retriable("A grant is still to be retired.") }
                let message = Self.message(job.message, left: leftNow)
                let changed = try await connection.execute(
                    """
                    UPDATE job SET state = \(machine.state), message = \(message), grants_left = \(leftNow),
                                   finished_at = clock_timestamp()
                    WHERE id = \(job.id) AND state = \(job.state) AND epoch = \(job.epoch)
                    """)
                try requireOne(changed, "the job changed while it was cleaned up")
                try await discardObjects(of: job.id, states: ["reserved", "durable", "published"], on: connection)
                if machine.state == .failed {
                    try await handler.failed(job, message: message ?? "", on: connection)
                } else {
                    try await handler.stopped(job, message: message, on: connection)
                }
            }
        }
        if left > 0 { JobMetrics.grantsLeft(left) }
        JobMetrics.ended(task.job, task.job.state == .failing ? .failed : .stopped)
    }

    private static func message(_ message: String?, left: Int) -> String? {
        guard left > 0 else { return message }
        let leftMessage = GrantRetirement.leftMessage(left)
        guard let message, message != leftMessage else { return leftMessage }
        return message + " " + leftMessage
    }
}
