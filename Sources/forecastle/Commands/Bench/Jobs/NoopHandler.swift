import Jobs
import Postgres

/// Jobs that do nothing, in as many tasks as their document says: what remains is the engine. Only the benchmark's own worker
/// role has it; no API accepts it.
struct NoopHandler: JobKindHandler {
    struct Document: Codable, Sendable {
        var tasks: Int
    }

    /// Does nothing.
    static let noop = JobKind(rawValue: "bench-noop")
    /// Its first attempt waits until it is ended from outside, the next one does nothing.
    static let hold = JobKind(rawValue: "bench-hold")
    /// No worker serves it.
    static let parked = JobKind(rawValue: "bench-parked")

    let kind: JobKind

    func plan(_ context: TaskContext) async throws -> [TaskSpecification] {
        let document = try JobJSON(text: String(decoding: context.job.specification.document, as: UTF8.self))
            .decoded(as: Document.self)
        return (0..<document.tasks).map { _ in TaskSpecification(input: .empty) }
    }

    func run(_ task: TaskSpecification, _ context: TaskContext) async throws {
        guard kind == Self.hold, context.fence == Fence(1) else { return }
        while true {
            try await Task.sleep(for: .milliseconds(50))
            try context.checkStillOurs()
        }
    }

    func commit(_ context: TaskContext) async throws -> CommitRecord { CommitRecord(manifest: nil) }
    func publish(_ commit: CommitRecord, of job: JobRecord, on connection: PostgresConnection) async throws {}
    func failed(_ job: JobRecord, message: String, on connection: PostgresConnection) async throws {}
    func stopped(_ job: JobRecord, message: String?, on connection: PostgresConnection) async throws {}
}

/// No-op jobs have no grants and no objects.
struct NothingLeft: GrantRetirer, GrantLister, ObjectRemover {
    func retire(_ grant: GrantToRetire) async -> RetireOutcome { .notFound }
    func retirableGrants(after marker: String?) async throws -> (grants: [ListedGrant], next: String?) { ([], nil) }
    func remove(_ name: String) async throws {}
}
