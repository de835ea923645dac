import Jobs
import Postgres
import Synchronization

/// A kind of job whose behaviour the tests write: by default two tasks of three chunks under one grant.
final class ScriptedHandler: JobKindHandler {
    struct Position: Codable, Equatable { var chunk: Int }

    let kind: JobKind
    let world: TestWorld
    let tasks: Int
    let chunks: Int
    let beforeChunk: @Sendable (TaskContext, Int) async throws -> Void
    let onConfirm: @Sendable (TaskContext) async throws -> Void
    private let log = Mutex<[String]>([])

    init(
        _ world: TestWorld, kind: JobKind = .import, tasks: Int = 2, chunks: Int = 3,
        beforeChunk: @escaping @Sendable (TaskContext, Int) async throws -> Void = { _, _ in },
        onConfirm: @escaping @Sendable (TaskContext) async throws -> Void = { _ in }
    ) {
        self.world = world
        self.kind = kind
        self.tasks = tasks
        self.chunks = chunks
        self.beforeChunk = beforeChunk
        self.onConfirm = onConfirm
    }

    /// What was done, in order: `plan`, `chunk 0/1@2` (task/chunk@fence), `commit`…
    var events: [String] { log.withLock { $0 } }
    private func note(_ event: String) { log.withLock { $0.append(event) } }

    static let intent = GrantIntent(
        artifact: "output", keyARN: "arn:aws:kms:us-west-2:123456789012:key/k", roleARN: "arn:aws:iam::123456789012:role/r",
        grantee: "arn:aws:sts::999999999999:assumed-role/forecastle-worker/x", operations: ["Decrypt", "GenerateDataKey"],
        encryptionContext: ["forecastle:account": TestWorld.account])

    func plan(_ context: TaskContext) async throws -> [TaskSpecification] {
        note("plan")
        _ = try await context.grants.ensure(Self.intent) { world.kms.create($0) }
        return try (0..<tasks).map { TaskSpecification(input: try JobJSON(["task": $0]), expectedBytes: 30) }
    }

    func run(_ task: TaskSpecification, _ context: TaskContext) async throws {
        let done = try context.durableChunks.last.map { try $0.inputPosition.decoded(as: Position.self).chunk + 1 } ?? 0
        for chunk in done..<chunks {
            try await beforeChunk(context, chunk)
            try context.checkStillOurs()
            let name = try await context.reserveObject(ordinal: chunk)
            world.objects.write(name)
            try await context.recordChunk(
                ordinal: chunk, object: name, inputPosition: try JobJSON(Position(chunk: chunk)), bytes: 10, rows: 1)
            note("chunk \(context.ordinal)/\(chunk)@\(context.fence)")
        }
    }

    func commit(_ context: TaskContext) async throws -> CommitRecord {
        note("commit")
        let all = try await context.chunksOfAllTasks()
        let name = try await context.reserveObject(ordinal: 0)
        world.objects.write(name)
        return CommitRecord(
            manifest: CommitRecord.Manifest(object: name, digest: [1, 2, 3], generation: 1),
            detail: try JobJSON(["chunks": all.count]))
    }

    func confirm(_ commit: CommitRecord, _ context: TaskContext) async throws {
        try await onConfirm(context)
    }

    func publish(_ commit: CommitRecord, of job: JobRecord, on connection: PostgresConnection) async throws {
        note("publish")
        try await record("ACTIVE", commit.detail.text, job, connection)
    }

    func failed(_ job: JobRecord, message: String, on connection: PostgresConnection) async throws {
        try await record("CREATE_FAILED", message, job, connection)
    }

    func stopped(_ job: JobRecord, message: String?, on connection: PostgresConnection) async throws {
        try await record("CREATE_STOPPED", message, job, connection)
    }

    /// A second outcome of a job violates the table's key; grants that exist at KMS at this moment are counted.
    private func record(_ state: String, _ message: String?, _ job: JobRecord, _ connection: PostgresConnection) async throws {
        let open = world.kms.active.filter { $0.contains(job.id.description) }.count
        try await connection.execute(
            "INSERT INTO outcome VALUES (\(job.id), \(state), \(message), \(open))")
    }
}
