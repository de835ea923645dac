import FoundationEssentials
import Postgres
import Telemetry

extension JobRecord {
    static let columns = """
        id, kind, version, account, resource, incarnation, specification, signature, source_address, user_agent, \
        state, epoch, priority, total_tasks, open_tasks, message, manifest_object, manifest_digest, manifest_generation, \
        commit_detail, grants_left, redrives, traceparent, accepted_at, started_at, finalizing_at, retiring_at, ending_at, finished_at
        """

    init(_ row: PostgresRow) throws {
        specification = JobSpecification(
            job: try row.get("id"), kind: try row.get("kind"), version: try row.get("version"),
            account: try row.get("account"), resourceARN: try row.get("resource"),
            incarnation: try row.get("incarnation"), sourceAddress: try row.get("source_address"),
            userAgent: try row.get("user_agent"), document: try row.get("specification"))
        signature = try row.get("signature")
        state = try row.get("state")
        epoch = try row.get("epoch")
        priority = try row.get("priority")
        totalTasks = try row.get("total_tasks")
        openTasks = try row.get("open_tasks")
        message = try row.get("message", as: String?.self)
        if let detail = try row.get("commit_detail", as: JobJSON?.self) {
            var manifest: CommitRecord.Manifest?
            if let object = try row.get("manifest_object", as: String?.self) {
                manifest = CommitRecord.Manifest(
                    object: object, digest: try row.get("manifest_digest"),
                    generation: try row.get("manifest_generation"))
            }
            commit = CommitRecord(manifest: manifest, detail: detail)
        } else {
            commit = nil
        }
        grantsLeft = try row.get("grants_left")
        redrives = try row.get("redrives")
        trace = try row.get("traceparent", as: String?.self).flatMap { TraceContext($0) }
        acceptedAt = try row.get("accepted_at")
        startedAt = try row.get("started_at", as: Date?.self)
        finalizingAt = try row.get("finalizing_at", as: Date?.self)
        retiringAt = try row.get("retiring_at", as: Date?.self)
        endingAt = try row.get("ending_at", as: Date?.self)
        finishedAt = try row.get("finished_at", as: Date?.self)
    }

    var machine: JobStateMachine { JobStateMachine(state: state, epoch: epoch, openTasks: openTasks) }
}

extension JobStore {
    /// A job, also one that ended long ago.
    package func job(_ id: JobID) async throws -> JobRecord? {
        try await pool.query(
            """
            SELECT \(raw: JobRecord.columns) FROM job WHERE id = \(id)
            UNION ALL SELECT \(raw: JobRecord.columns) FROM job_history WHERE id = \(id)
            """
        ).first.map(JobRecord.init)
    }

    /// Reads a job under its row lock: first of all locks of a transaction that changes it.
    func lockJob(_ id: JobID, on connection: PostgresConnection) async throws -> JobRecord {
        let rows = try await connection.query(
            "SELECT \(raw: JobRecord.columns) FROM job WHERE id = \(id) FOR NO KEY UPDATE")
        guard let row = rows.first else { throw JobError(.unknownJob, "There is no such job.") }
        return try JobRecord(row)
    }
}
