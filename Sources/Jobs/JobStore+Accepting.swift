import FoundationEssentials
import Outbox
import Postgres
import Telemetry

extension JobsEngine {
    /// Jobs that one transaction accepts at most.
    package static let acceptBatchMax = 500

    /// Accepts jobs that come in numbers, each batch in one transaction with one doorbell a kind: for loads, not for
    /// requests, which have an answer of their own.
    package func accept(_ submissions: [JobSubmission], priority: TaskPriority = .standard) async throws {
        for start in stride(from: 0, to: submissions.count, by: Self.acceptBatchMax) {
            let batch = Array(submissions[start..<min(start + Self.acceptBatchMax, submissions.count)])
            for submission in batch { try submission.specification.validate() }
            try await store.pool.commitRetryingSerialization { _ in try store.insertion(of: batch, priority: priority) }
            for submission in batch { JobMetrics.accepted(submission.specification.kind) }
            store.wakeRelay()
        }
    }
}

extension JobStore {
    /// Statements for jobs, their plan tasks and one doorbell a kind: each inserts all of its rows or fails.
    func insertion(of submissions: [JobSubmission], priority: TaskPriority = .standard) throws -> [PostgresQuery] {
        let jobs = submissions.map(\.specification)
        let kinds = Dictionary(jobs.map { ($0.kind, $0.job) }, uniquingKeysWith: { first, _ in first })
        let rings = try kinds.map { try doorbell($0, job: $1) }
        return [
            """
            INSERT INTO job (id, kind, version, account, resource, incarnation, specification, signature,
                             source_address, user_agent, priority, traceparent)
            SELECT *, \(priority)::smallint, \(TraceContext.current?.text)::text
            FROM unnest(\(jobs.map(\.job.rawValue)), \(jobs.map(\.kind.rawValue)), \(jobs.map(\.version)),
                        \(jobs.map(\.account)), \(jobs.map(\.resourceARN)), \(jobs.map(\.incarnation)),
                        \(jobs.map(\.document)), \(submissions.map(\.signature)), \(jobs.map(\.sourceAddress)),
                        \(jobs.map(\.userAgent)))
            """,
            """
            INSERT INTO job_task (id, job, kind, version, account, role, priority, ordinal, epoch)
            SELECT gen_random_uuid(), a.job, a.kind, a.version, a.account, \(TaskRole.plan), \(priority)::smallint, 0, 1
            FROM unnest(\(jobs.map(\.job.rawValue)), \(jobs.map(\.kind.rawValue)), \(jobs.map(\.version)),
                        \(jobs.map(\.account))) AS a (job, kind, version, account)
            """,
        ] + rings.map { Outbox.statement(of: $0) }
    }
}

extension JobSpecification {
    /// Throws `JobError.invalid` for what the tables would refuse.
    func validate() throws {
        guard document.count <= Self.documentBytesMax else {
            throw JobError(.invalid, "The specification of a job holds at most 256 KiB.")
        }
    }
}
