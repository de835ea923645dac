import Postgres

extension Worker {
    /// Finalizing → manifest recorded → grants retired → published. Taken over at any point it goes on from there;
    /// with a recorded manifest it needs no key any more.
    func commit(_ task: ClaimedTask, handler: any JobKindHandler, _ context: TaskContext) async throws {
        var job = try await store.beginCommit(task)
        if job.state == .finalizing {
            let record = try await handler.commit(context)
            try await faults.reach(.manifestWritten)
            try await handler.confirm(record, context)
            try context.checkStillOurs()
            job = try await store.recordCommit(record, by: task)
            try await faults.reach(.manifestRecorded)
        }
        guard let record = job.commit else { preconditionFailure("A retiring job has what its commit recorded.") }
        try await retirement.retireAll(of: job, trustsSpecification: true)
        let state = try await retirement.state(of: job.id)
        if state.unretired > 0 {
            if state.deadlinePassed {
                _ = try await store.abandonRetiring(
                    task, message: GrantRetirement.leftMessage(state.unretired), death: .notPublished)
                return
            }
            return try await postpone(task)
        }
        try await faults.reach(.grantsRetired)
        try context.checkStillOurs()
        do {
            try await store.publish(record, by: task, handler: handler)
        } catch let error where state.deadlinePassed && task.lease.loss == nil {
            // What cannot be published for so long never will be: a job must not hang in between.
            let message = "The result could not be published."
            guard try await store.abandonRetiring(task, message: message, death: .notPublished) else { throw error }
            return
        }
        try await faults.reach(.published)
    }

    func postpone(_ task: ClaimedTask) async throws {
        let backoff = store.configuration.retry(of: task.job.kind)
            .backoff(afterFailures: task.failures, random: .random(in: 0..<1))
        try await store.postpone(task, for: backoff, isFailure: true)
        look(after: backoff)
    }
}

extension JobStore {
    /// The job becomes finalizing, or is retiring already.
    package func beginCommit(_ task: ClaimedTask) async throws -> JobRecord {
        try await transaction { connection in
            let job = try await lockJob(task.job.id, on: connection)
            try await requireOwned(task, on: connection)
            var machine = job.machine
            switch machine.commitBegun(by: task.epoch) {
            case .retireGrants: return job
            case .refuse(let refusal): throw JobError.leaseLost("\(refusal)")
            default: break
            }
            let changed = try await connection.execute(
                """
                UPDATE job SET state = \(machine.state), finalizing_at = coalesce(finalizing_at, clock_timestamp())
                WHERE id = \(job.id) AND state = \(job.state) AND epoch = \(job.epoch) AND open_tasks = 0
                """)
            try requireOne(changed, "the job changed before it could be finalized")
            return try await lockJob(job.id, on: connection)
        }
    }

    /// Records what was committed, under fence and epoch: the outcome is decided, the collector respects the objects
    /// from here on, and the grants are to be retired.
    package func recordCommit(_ record: CommitRecord, by task: ClaimedTask) async throws -> JobRecord {
        do {
            return try await transaction { connection in
                try await recordCommit(record, by: task, on: connection)
            }
        } catch let error as PostgresError where error.code == .commitInDoubt {
            guard let job = try await job(task.job.id), job.state == .retiring, job.commit == record else {
                throw JobError.retriable("A commit was lost.", cause: error)
            }
            return job
        }
    }

    private func recordCommit(
        _ record: CommitRecord, by task: ClaimedTask, on connection: PostgresConnection
    ) async throws -> JobRecord {
        let job = try await lockJob(task.job.id, on: connection)
        var machine = job.machine
        if case .refuse(let refusal) = machine.manifestRecorded(by: task.epoch) {
            throw JobError.leaseLost("\(refusal)")
        }
        let owned = try await connection.execute(
            """
            UPDATE job_task SET must_finish = true
            WHERE id = \(task.id) AND fence = \(task.fence) AND epoch = \(task.epoch) AND state = 'running'
            """)
        try requireOne(owned, "another attempt has it, or the job ended")
        let manifest = record.manifest
        let changed = try await connection.execute(
            """
            UPDATE job SET state = \(machine.state), retiring_at = clock_timestamp(),
                           manifest_object = \(manifest?.object), manifest_digest = \(manifest?.digest),
                           manifest_generation = \(manifest?.generation), commit_detail = \(record.detail)
            WHERE id = \(job.id) AND state = \(job.state) AND epoch = \(job.epoch)
            """)
        try requireOne(changed, "the job changed before its manifest was recorded")
        if let manifest {
            let named = try await connection.execute(
                """
                UPDATE job_object SET state = 'published'
                WHERE name = \(manifest.object) AND task = \(task.id) AND fence = \(task.fence)
                  AND state IN ('reserved', 'durable')
                """)
            guard named == 1 else { throw JobError(.invalid, "A manifest lies under a name that was not reserved.") }
        }
        try await connection.execute(
            "UPDATE job_object SET state = 'published' WHERE job = \(job.id) AND state = 'durable'")
        try await setGrantsRetiring(of: job.id, on: connection)
        return try await lockJob(job.id, on: connection)
    }

    /// The terminal transaction of a job that succeeded.
    package func publish(_ record: CommitRecord, by task: ClaimedTask, handler: any JobKindHandler) async throws {
        try await settling(task, as: .done) {
            try await transaction { connection in
                let job = try await lockJob(task.job.id, on: connection)
                try await end(task, as: .done, on: connection)
                var machine = job.machine
                if case .refuse(let refusal) = machine.grantsRetired(by: task.epoch) {
                    throw JobError.leaseLost("\(refusal)")
                }
                let changed = try await connection.execute(
                    """
                    UPDATE job SET state = \(machine.state), finished_at = clock_timestamp()
                    WHERE id = \(job.id) AND state = \(job.state) AND epoch = \(job.epoch)
                      AND NOT EXISTS (SELECT FROM job_grant WHERE job = \(job.id) AND state <> 'retired')
                    """)
                try requireOne(changed, "a grant of the job is not retired")
                try await discardObjects(of: job.id, states: ["reserved"], on: connection)
                try await handler.publish(record, of: job, on: connection)
            }
        }
        JobMetrics.ended(task.job, .succeeded)
    }

    /// A decided job fails after all.
    ///
    /// - Returns: false where the job is not retiring.
    func abandonRetiring(_ task: ClaimedTask, message: String, death: DeathReason? = nil) async throws -> Bool {
        let abandoned = try await transaction { connection in
            let job = try await lockJob(task.job.id, on: connection)
            guard job.state == .retiring else { return false }
            try await end(task, as: .failed, error: message, on: connection)
            if let death { try await bury(job, reason: death, message: message, of: task.id, on: connection) }
            var machine = job.machine
            if case .refuse(let refusal) = machine.retiringAbandoned(by: task.epoch) {
                throw JobError.leaseLost("\(refusal)")
            }
            try await fence(job, into: machine, message: message, on: connection)
            return true
        }
        if abandoned { wakeRelay() }
        return abandoned
    }

    /// Leaves objects to the collector: once no upload that was begun under a lease can land any more.
    func discardObjects(of job: JobID, states: [String], on connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            UPDATE job_object SET state = 'garbage',
                                  collect_after = now() + \(configuration.lease + configuration.uploadTimeout)
            WHERE job = \(job) AND state = ANY(\(states))
            """)
    }
}
