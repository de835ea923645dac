package import FoundationEssentials
package import Logging
package import Postgres

/// What the API does with jobs: accept, stop, let go of what they published.
package struct JobsEngine: Sendable {
    let store: JobStore

    /// - Parameter wakeRelay: wakes the outbox relay of this process; called after commits.
    package init(
        pool: PostgresPool, configuration: JobsConfiguration = JobsConfiguration(), logger: Logger,
        wakeRelay: @escaping @Sendable () -> Void = {}
    ) {
        store = JobStore(pool: pool, configuration: configuration, logger: logger, wakeRelay: wakeRelay)
        JobMetrics.declareEngine()
    }

    /// Accepts a job: what `alongside` changes (the resource), the job, its plan task and the doorbell, in one
    /// transaction.
    ///
    /// `alongside` runs first and may run again (conflicts of concurrent transactions): it may only use its connection.
    /// What it throws undoes everything and is thrown on. A commit whose answer was lost is looked up, not guessed.
    package func accept(
        _ submission: JobSubmission, alongside: (PostgresConnection) async throws -> Void
    ) async throws {
        let specification = submission.specification
        try specification.validate()
        do {
            try await store.pool.commitRetryingSerialization { connection in
                try await alongside(connection)
                return try store.insertion(of: [submission])
            }
        } catch let error as PostgresError where error.code == .commitInDoubt {
            guard let job = try await store.job(submission.id), job.signature == submission.signature else {
                throw JobError(.notAccepted, "The job was not accepted.", cause: error)
            }
        }
        JobMetrics.accepted(specification.kind)
        store.wakeRelay()
    }

    package func job(_ id: JobID) async throws -> JobRecord? {
        try await store.job(id)
    }

    /// The newest job of a resource's incarnation.
    package func job(ofIncarnation incarnation: UUID) async throws -> JobRecord? {
        try await store.pool.query(
            """
            SELECT \(raw: JobRecord.columns) FROM job WHERE incarnation = \(incarnation)
            UNION ALL SELECT \(raw: JobRecord.columns) FROM job_history WHERE incarnation = \(incarnation)
            ORDER BY accepted_at DESC LIMIT 1
            """
        ).first.map(JobRecord.init)
    }

    /// Lets go of all objects that a job published, in the transaction that deletes its resource: the collector
    /// removes them once no reader can be under way any more.
    @discardableResult
    package func releaseObjects(of job: JobID, on connection: PostgresConnection) async throws -> Int {
        try await connection.execute(
            """
            UPDATE job_object SET state = 'garbage', collect_after = now() + \(store.configuration.uploadTimeout)
            WHERE job = \(job) AND state = 'published'
            """)
    }
}
