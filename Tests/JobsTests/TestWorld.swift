import Crypto
import Foundation
import Jobs
import Logging
import Postgres
import PostgresTesting
import Synchronization
import Testing

/// A database, a pretended KMS and object store, and what a job of the tests is made of.
struct TestWorld: Sendable {
    let database: TestDatabase
    let pool: PostgresPool
    let kms = PretendedKMS()
    let objects = PretendedObjects()
    let signer: SpecificationSigner
    let configuration: JobsConfiguration
    let doorbell = Doorbell()
    static let account = "123456789012"

    var engine: JobsEngine { JobsEngine(pool: pool, configuration: configuration, logger: logger) }
    var store: JobStore { JobStore(pool: pool, configuration: configuration, logger: logger) }
    var queries: JobQueries { JobQueries(pool: pool) }
    var logger: Logger { TestDatabase.logger }

    static func with(
        _ change: (inout JobsConfiguration) -> Void = { _ in }, _ body: (TestWorld) async throws -> Void
    ) async throws {
        var configuration = JobsConfiguration(
            // Tests end leases by hand (`expireLeases`): one that ends by itself would only be the busy machine's.
            lease: .seconds(60), beat: .milliseconds(100), trustMargin: .seconds(3),
            retry: RetryPolicy(first: .milliseconds(20), cap: .milliseconds(200)), readGrantLife: .seconds(600))
        change(&configuration)
        let settled = configuration
        try await TestDatabase.withDatabase(migrations: .jobs) { database in
            let world = TestWorld(
                database: database, pool: database.pool,
                signer: SpecificationSigner(privateKey: Curve25519.Signing.PrivateKey()), configuration: settled)
            // Stands in for the catalog: what handlers change in the engine's transactions.
            try await database.pool.execute(
                "CREATE TABLE outcome (job uuid PRIMARY KEY, state text, message text, open_grants int)")
            try await body(world)
        }
    }

    func submission(
        _ kind: JobKind = .import, document: String = "{}", account: String = account, version: Int = 1
    ) throws -> JobSubmission {
        let specification = JobSpecification(
            job: JobID(), kind: kind, version: version, account: account,
            resourceARN: "arn:aws:forecast:us-west-2:123456789012:dataset-import-job/ds/imp", incarnation: UUID(),
            sourceAddress: "192.0.2.1", userAgent: "tests", document: Array(document.utf8))
        return try JobSubmission(specification, signedBy: signer)
    }

    func accept(_ kind: JobKind = .import, account: String = account) async throws -> JobID {
        let submission = try submission(kind, account: account)
        try await engine.accept(submission) { _ in }
        return submission.id
    }

    func worker(
        _ handler: any JobKindHandler, name: String = "worker-\(UUID())", slots: Int = 2, threads: Int = 2,
        faults: FaultPoints = .none, beatPool: PostgresPool? = nil
    ) throws -> Worker {
        try Worker(
            configuration: WorkerConfiguration(name: name, slots: slots, threads: threads, grace: .seconds(5)),
            jobs: configuration, pool: pool, beatPool: beatPool ?? pool, handlers: [handler],
            verifier: SpecificationVerifier(publicKeys: [signer.publicKey]), retirer: kms, lister: kms, remover: objects,
            faults: faults, logger: logger)
    }

    /// The same process each time: it leads, and renews its term.
    var sweeper: Sweeper { sweeper("sweeper") }

    func sweeper(_ name: String, retirer: (any GrantRetirer)? = nil) -> Sweeper {
        Sweeper(
            name: name,
            configuration: Sweeper.Configuration(
                interval: .milliseconds(50), reconcileInterval: .milliseconds(100), ringAfter: .seconds(1800)),
            jobs: configuration, pool: pool, retirer: retirer ?? kms, lister: kms, remover: objects, logger: logger)
    }

    /// Runs workers while `body` runs; at its end they are killed: nothing they hold is given back.
    func running(_ workers: [Worker], _ body: () async throws -> Void) async throws {
        let tasks = workers.map { worker in Task { try await worker.run() } }
        defer { for task in tasks { task.cancel() } }
        try await body()
        for task in tasks { task.cancel() }
        for task in tasks { _ = await task.result }
    }

    /// The end of a job.
    @discardableResult
    func ended(_ job: JobID) async throws -> JobRecord {
        try await eventually("job \(job) ends") { try await engine.job(job)?.state.isTerminal == true }
        return try #require(await engine.job(job))
    }

    func outcome(_ job: JobID) async throws -> (state: String, message: String?, openGrants: Int)? {
        try await pool.query("SELECT state, message, open_grants FROM outcome WHERE job = \(job)").first.map {
            (try $0.get("state"), try $0.get("message", as: String?.self), try $0.get("open_grants"))
        }
    }

    /// As if all leases had run out: what waiting for them would do, at once.
    func expireLeases() async throws {
        try await pool.execute("UPDATE job_task SET lease_until = now() - interval '1 s' WHERE lease_until IS NOT NULL")
    }

    func count(_ query: PostgresQuery) async throws -> Int {
        try await pool.query(query)[0].get(0)
    }
}

/// How long a busy machine may take for anything that a test waits for.
private let patience: Duration = .seconds(120)

/// Waits, at most `patience`, for what another task brings about.
func eventually(_ what: String, _ holds: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + patience
    while try await !holds() {
        guard ContinuousClock.now < deadline else {
            Issue.record("Waited in vain until \(what).")
            throw CancellationError()
        }
        try await Task.sleep(for: .milliseconds(10))
    }
}

/// Counts how often something is reached.
final class Tally: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock {
            $0 += 1
            return $0
        }
    }
}

/// Something that happens once; who waits for it waits at most `patience`, cancelled or not.
final class Signal: Sendable {
    private let fired = Mutex(false)

    var isFired: Bool { fired.withLock { $0 } }
    func fire() { fired.withLock { $0 = true } }

    func wait(_ what: String) async throws {
        try await eventually(what) { isFired }
    }

    /// Waits through cancellation, as a process does that was paused.
    func waitPaused() async {
        let deadline = ContinuousClock.now + patience
        while !isFired, ContinuousClock.now < deadline {
            await withCheckedContinuation { continuation in
                DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(5)) { continuation.resume() }
            }
        }
    }
}
