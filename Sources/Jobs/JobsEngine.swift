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
        guard specification.document.count <= JobSpecification.documentBytesMax else {
            throw JobError(.invalid, "The specification of a job holds at most 256 KiB.")
        }
        do {
            try await store.transaction { connection in
                try await alongside(connection)
                try await store.insert(submission, on: connection)
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

extension JobStore {
    fileprivate func insert(_ submission: JobSubmission, on connection: PostgresConnection) async throws {
        let job = submission.specification
        let inserted = try await connection.executePipeline([
            """
            INSERT INTO job (id, kind, version, account, resource, incarnation, specification, signature,
                             source_address, user_agent)
            VALUES (\(job.job), \(job.kind), \(job.version), \(job.account), \(job.resourceARN), \(job.incarnation),
                    \(job.document), \(submission.signature), \(job.sourceAddress), \(job.userAgent))
            """,
            """
            INSERT INTO job_task (id, job, kind, version, role, ordinal, epoch)
            VALUES (\(TaskID()), \(job.job), \(job.kind), \(job.version), \(TaskRole.plan), 0, 1)
            """,
        ])
        precondition(inserted == [1, 1], "An INSERT of one row inserts one row or throws.")
        try await ring(job.kind, job: job.job, on: connection)
    }
}
