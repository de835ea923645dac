package import Postgres

/// What a request to stop a job came to.
package enum StopOutcome: String, Sendable, CaseIterable {
    /// Nothing had run: the job is stopped.
    case stopped
    /// Its workers hear of it within a beat; it is stopped when its grants are retired and its objects collected.
    case stopping
    /// Its result is recorded and will be published: the stop is accepted and changes nothing.
    case decided
    /// It failed or was stopped before.
    case ended
}

extension JobsEngine {
    /// Stops a job.
    ///
    /// - Parameter alongside: runs in the same transaction with the outcome (`stopped`: CREATE_STOPPED, `stopping`:
    ///   CREATE_STOPPING). It may run again, as that of `accept`.
    @discardableResult
    package func stop(
        _ id: JobID, alongside: (StopOutcome, PostgresConnection) async throws -> Void = { _, _ in }
    ) async throws -> StopOutcome {
        let outcome = try await store.transaction { connection in
            guard let job = try await store.lockJobUnlessFinished(id, on: connection) else {
                try await alongside(.ended, connection)
                return StopOutcome.ended
            }
            let outcome = try await store.stop(job, on: connection)
            try await alongside(outcome, connection)
            return outcome
        }
        if outcome == .stopping { store.wakeRelay() }
        JobMetrics.stopRequested(outcome)
        return outcome
    }
}

extension JobStore {
    fileprivate func stop(_ job: JobRecord, on connection: PostgresConnection) async throws -> StopOutcome {
        var machine = job.machine
        switch machine.stopRequested(hasTraces: try await hasTraces(job, on: connection)) {
        case .alreadyEnded: return .ended
        case .alreadyEnding: return job.state == .stopping ? .stopping : .ended
        case .alreadyDecided: return .decided
        case .cleanUp:
            try await fence(job, into: machine, message: nil, on: connection)
            return .stopping
        case .endAtOnce:
            try await cancelTasks(of: job, on: connection)
            let changed = try await connection.execute(
                """
                UPDATE job SET state = \(machine.state), epoch = \(machine.epoch), open_tasks = 0, finished_at = now()
                WHERE id = \(job.id) AND state = \(job.state) AND epoch = \(job.epoch)
                """)
            try requireOne(changed, "the job changed while it was stopped")
            return .stopped
        }
    }

    /// Whether anything of the job may still be at work or lie about. Asked under the job's lock; a task that is
    /// ready is locked here, so that no claim comes between the question and its cancellation.
    private func hasTraces(_ job: JobRecord, on connection: PostgresConnection) async throws -> Bool {
        _ = try await connection.query(
            "SELECT id FROM job_task WHERE job = \(job.id) AND state IN ('ready', 'running') ORDER BY id FOR UPDATE")
        let rows = try await connection.query(
            """
            SELECT EXISTS (SELECT FROM job_task WHERE job = \(job.id) AND state = 'running')
                OR EXISTS (SELECT FROM job_grant WHERE job = \(job.id) AND state <> 'retired')
                OR EXISTS (SELECT FROM job_object WHERE job = \(job.id)) AS traces
            """)
        return try rows[0].get("traces")
    }
}
