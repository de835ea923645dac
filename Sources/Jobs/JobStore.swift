package import Logging
import Outbox
package import Postgres

/// The statements of the engine, each beside the function that runs it (in the extensions of this type).
///
/// Order of locks everywhere: the job's row, then its tasks, then grants and objects. A job's row is locked FOR NO KEY
/// UPDATE, so that rows which refer to it can still be inserted.
package struct JobStore: Sendable {
    let pool: PostgresPool
    let configuration: JobsConfiguration
    let logger: Logger
    /// Wakes the relay of this process, after the transaction that appended to the outbox has committed.
    let wakeRelay: @Sendable () -> Void

    package init(
        pool: PostgresPool, configuration: JobsConfiguration, logger: Logger,
        wakeRelay: @escaping @Sendable () -> Void = {}
    ) {
        self.pool = pool
        self.configuration = configuration
        self.logger = logger
        self.wakeRelay = wakeRelay
    }

    /// Runs a transaction again when it lost against a concurrent one.
    nonisolated(nonsending) func transaction<R: Sendable>(
        _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        try await pool.retryingSerialization(body)
    }

    /// Appends the doorbell of a kind. Its content is for people: whoever hears it asks PostgreSQL.
    func ring(_ kind: JobKind, job: JobID? = nil, on connection: PostgresConnection) async throws {
        try await Outbox.append(try doorbell(kind, job: job), on: connection)
    }

    func doorbell(_ kind: JobKind, job: JobID?) throws -> Outbox.Message {
        let whose = job.map { #""job":"\#($0)","# } ?? ""
        return try Outbox.Message(
            topic: try TopicName.jobs(prefix: configuration.topicPrefix, kind: kind.rawValue).name,
            key: job.map { Array($0.description.utf8) }, payload: Array(#"{\#(whose)"kind":"\#(kind)"}"#.utf8))
    }

    /// Makes the next beat of every worker come sooner.
    func announce(_ what: String, job: JobID, on connection: PostgresConnection) async throws {
        try await Announcements.append(
            Announcement(what, ["job": job.description]),
            topic: try TopicName.control(prefix: configuration.topicPrefix), on: connection)
    }
}

/// A row that was to be changed was not the one expected: the attempt is not the task's owner any more.
func requireOne(_ changed: Int, _ what: @autoclosure () -> String) throws {
    guard changed == 1 else {
        JobMetrics.fencedWrite()
        throw JobError.leaseLost(what())
    }
}
