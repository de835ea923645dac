package import Postgres

/// What a kind of job does. The engine calls it; it never changes a job's row itself.
///
/// Errors: `JobError.final` ends the job with its message; `JobError.retriable` is tried again with backoff up to a
/// deadline; any other error passes `jobError(for:)` first and counts as retriable without it, with a message that
/// says nothing of it. A cancelled Swift task means that the lease is lost or the job ended: wipe and return.
package protocol JobKindHandler: Sendable {
    var kind: JobKind { get }
    /// The newest version of the kind's specification that this handler reads.
    var version: Int { get }

    /// In the transaction in which the job begins to run (CREATE_IN_PROGRESS).
    func started(_ job: JobRecord, on connection: PostgresConnection) async throws

    /// Makes the job's grants and splits its work, by a pure function of specification and input. Called again if
    /// the worker is lost, so everything in it must bear repetition.
    func plan(_ context: TaskContext) async throws -> [TaskSpecification]

    /// Does one task, going on behind `context.durableChunks`.
    func run(_ task: TaskSpecification, _ context: TaskContext) async throws

    /// Writes the manifest under an object reserved from `context` and reads it back.
    func commit(_ context: TaskContext) async throws -> CommitRecord

    /// Confirms the key leases once more, directly before the manifest is recorded: a grant that is gone by now was
    /// revoked, and throwing `JobError.final` fails the job.
    func confirm(_ commit: CommitRecord, _ context: TaskContext) async throws

    /// In the terminal transaction, after the grants are retired: the catalog's changes (ACTIVE).
    func publish(_ commit: CommitRecord, of job: JobRecord, on connection: PostgresConnection) async throws

    /// In the terminal transaction of a job that failed (CREATE_FAILED with this message).
    func failed(_ job: JobRecord, message: String, on connection: PostgresConnection) async throws

    /// In the terminal transaction of a job that was stopped (CREATE_STOPPED). The message is nil unless a grant is left.
    func stopped(_ job: JobRecord, message: String?, on connection: PostgresConnection) async throws

    /// Says what an error of a lower room means for the job; nil for what it does not know.
    func jobError(for error: any Error) -> JobError?
}

extension JobKindHandler {
    package var version: Int { 1 }
    package func started(_ job: JobRecord, on connection: PostgresConnection) async throws {}
    package func confirm(_ commit: CommitRecord, _ context: TaskContext) async throws {}
    package func jobError(for error: any Error) -> JobError? { nil }
}
