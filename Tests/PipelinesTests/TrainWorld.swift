import AWSClients
import AWSProtocol
import Artifacts
import Catalog
import Crypto
import Foundation
import Jobs
import ObjectStore
import Pipelines
import Postgres
import PostgresTesting
import Secrets
import Testing

/// A database, stores in a folder and a pretended authority: jobs run in it as in a worker process.
struct TrainWorld: Sendable {
    static let account = "123456789012"
    static let dataKey = "arn:aws:kms:us-west-2:123456789012:key/11111111-1111-1111-1111-111111111111"
    static let modelKey = "arn:aws:kms:us-west-2:123456789012:key/22222222-2222-2222-2222-222222222222"
    static let role = "arn:aws:iam::123456789012:role/customer"

    let pool: PostgresPool
    let folder: URL
    let authority = TrainAuthority()
    let signer = SpecificationSigner(privateKey: Curve25519.Signing.PrivateKey())
    let environment: PipelineEnvironment
    let roles: RoleSessions
    private let configuration = JobsConfiguration(
        // No worker of these tests dies: a lease that ends would only be the busy machine's.
        lease: .seconds(30), beat: .milliseconds(100), trustMargin: .seconds(3),
        retry: Jobs.RetryPolicy(first: .milliseconds(10), cap: .milliseconds(50)))

    private init(_ pool: PostgresPool, _ folder: URL, _ keeper: KeyLeaseKeeper) throws {
        self.pool = pool
        self.folder = folder
        let credentials = AWSCredentials(accessKeyID: "AKIA", secretAccessKey: Redacted("secret"), sessionToken: nil)
        let here = "http://127.0.0.1:1"
        roles = RoleSessions(
            principals: ServicePrincipals(region: "us-west-2", account: "999999999999"),
            authority: here, process: StaticCredentials(credentials), transport: authority)
        environment = try PipelineEnvironment(
            roles: roles, keeper: keeper,
            artifacts: try DirectoryObjectStore(root: folder.appending(path: "artifacts").path),
            buckets: .directories(try DirectoryBuckets(root: folder.appending(path: "buckets").path)),
            // The smallest there are, so that little data makes many chunks.
            sizes: .init(frameBytes: 1 << 10, chunkBytes: 64 << 10, taskBytes: 16 << 10), logger: TestDatabase.logger)
    }

    /// - Parameter keyLease: between renewals. Short ones are for tests that withdraw a key: on a busy machine they end leases
    ///   that nobody withdrew, and attempts with them.
    static func with(keyLease: Duration = .seconds(30), _ body: (TrainWorld) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "train-\(UUID().uuidString)")
        for part in ["artifacts", "buckets/data"] {
            try FileManager.default.createDirectory(at: folder.appending(path: part), withIntermediateDirectories: true)
        }
        defer { try? FileManager.default.removeItem(at: folder) }
        try await TestDatabase.with(migrations: .jobs) { pool in
            let keeper = KeyLeaseKeeper(timing: KeyLeaseTiming(interval: keyLease), logger: TestDatabase.logger)
            let keeping = Task { try await keeper.run() }
            defer { keeping.cancel() }
            try await body(try TrainWorld(pool, folder, keeper))
        }
    }

    func put(_ csv: String, _ name: String) throws {
        try Data(csv.utf8).write(to: folder.appending(path: "buckets/data/\(name)"))
    }

    func key(_ type: ResourceType, _ name: String, _ keyARN: String) -> ArtifactKey {
        ArtifactKey(
            resource: "arn:aws:forecast:us-west-2:\(Self.account):\(type.rawValue)/\(name)", incarnation: UUID(),
            keyARN: keyARN, roleARN: Self.role)
    }

    /// Accepts a job that makes `output` and runs it to its end; answers the resource.
    func run(
        _ kind: JobKind, _ type: ResourceType, _ document: some Encodable, output: ArtifactKey, faults: FaultPoints = .none
    ) async throws -> Resource {
        let specification = JobSpecification(
            job: JobID(), kind: kind, account: Self.account, resourceARN: output.resource, incarnation: output.incarnation,
            sourceAddress: "192.0.2.1", userAgent: "tests", document: Array(try JSONEncoder().encode(document)))
        let resource = Resource(
            arn: output.resource, account: Self.account, type: type, name: "made", incarnation: output.incarnation,
            status: .createPending, request: [:])
        let engine = JobsEngine(pool: pool, configuration: configuration, logger: TestDatabase.logger)
        let submission = try JobSubmission(specification, signedBy: signer)
        try await engine.accept(submission) { try await Catalog.insert(resource, on: $0) }
        let worker = try worker(faults)
        let working = Task { try await worker.run() }
        defer { working.cancel() }
        let deadline = ContinuousClock.now + .seconds(300)
        while try await engine.job(submission.id)?.state.isTerminal != true {
            try #require(ContinuousClock.now < deadline, "The job did not end.")
            try await Task.sleep(for: .milliseconds(10))
        }
        return try #require(await Catalog(pool: pool).find(output.resource))
    }

    private func worker(_ faults: FaultPoints) throws -> Worker {
        let retirer = KMSGrantRetirer(roles: roles, process: "tests")
        return try Worker(
            configuration: WorkerConfiguration(name: "worker-\(UUID())", slots: 2, threads: 2, grace: .seconds(5)),
            jobs: configuration, pool: pool, beatPool: pool,
            handlers: PipelineHandlers.all(environment),
            verifier: SpecificationVerifier(publicKeys: [signer.publicKey]), retirer: retirer, lister: retirer,
            remover: NoRemover(), faults: faults, logger: TestDatabase.logger)
    }

    func input(_ key: ArtifactKey, _ resource: Resource) throws -> ArtifactInput {
        let manifest = try #require(resource.manifest)
        return ArtifactInput(
            key: key, manifestObject: manifest.objectName, manifestDigest: Hex.encode(manifest.digest),
            manifestGeneration: manifest.generation)
    }

    /// Opens an artifact as who holds no grant at all could not: with one of its own.
    func sections(_ key: ArtifactKey, _ resource: Resource) async throws -> (manifest: Manifest, reader: ArtifactReader) {
        let scope = try ArtifactScope(
            account: Self.account, resource: key.resource, incarnation: key.incarnation.uuidString.lowercased())
        _ = try await roles.ownKMS.createGrant(
            CreateGrantRequest(
                keyID: key.keyARN, granteePrincipal: "tests", retiringPrincipal: "tests", operations: ["Decrypt"],
                contextSubset: scope.grantConstraint, name: "test-\(key.incarnation)"))
        let manifest = try #require(resource.manifest)
        let access = ArtifactAccess(
            scope: scope, keyARN: key.keyARN, kms: roles.ownKMS,
            keeper: KeyLeaseKeeper(timing: KeyLeaseTiming(interval: .seconds(600)), logger: TestDatabase.logger))
        let reader = try await ArtifactReader.open(
            ManifestReference(
                objectName: manifest.objectName, digest: manifest.digest, generation: manifest.generation, keyARN: key.keyARN),
            store: try DirectoryObjectStore(root: folder.appending(path: "artifacts").path), access: access)
        return (reader.manifest, reader)
    }
}

private struct NoRemover: ObjectRemover {
    func remove(_ name: String) async throws {}
}
