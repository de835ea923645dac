import Foundation
import Glibc
import Logging
import Postgres
import Synchronization

/// The cluster that rights are withdrawn on: one of its own, or one that runs on this machine.
final class RevocationSite: Sendable {
    let values: ConfigurationValues
    let jobs: PostgresPool
    let authority: PostgresPool
    let trace: FrameTraceLog
    private let variables: [String: String]
    private let supervisor: Supervisor?
    /// Of a cluster of its own, where it is left when something failed.
    let folder: DataFolder?
    private let visited = Mutex<[Tenant]>([])

    private init(
        values: ConfigurationValues, variables: [String: String], supervisor: Supervisor?, folder: DataFolder?
    ) throws {
        self.values = values
        self.variables = variables
        self.supervisor = supervisor
        self.folder = folder
        func pool(_ key: String) throws -> PostgresPool {
            var configuration = PostgresConfiguration(
                connection: try values.required(key), applicationName: "forecastle chaos revoke")
            configuration.maximumConnections = 2
            configuration.statementTimeout = .seconds(60)
            return PostgresPool(configuration: configuration, logger: Self.logger)
        }
        // A cluster that ran before has a long trace, of which nothing is of this run.
        trace = try FrameTraceLog(path: try values.required("faults.frame_trace"), fromItsEnd: supervisor == nil)
        jobs = try pool("jobs.postgres")
        authority = try pool("authority.postgres")
    }

    private static let logger = Logger(label: "chaos") { _ in SwiftLogNoOpLogHandler() }

    /// A cluster of its own below `base`, with `accounts` customers' buckets.
    static func embedded(below base: String, workers: Int, accounts: Int) async throws -> RevocationSite {
        try FileManager.default.createDirectory(
            atPath: base, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        let folder = DataFolder("\(base)/revoke.\(getpid())")
        try folder.create()
        let owners = (0..<accounts).map { "revoke-\($0)=\(Tenant.accountID($0))" }.joined(separator: ",")
        let wiring = ClusterWiring(flags: [
            "api": ["--buckets-owners=\(owners)"], "authority": ["--authority-quota-percent=0"],
            "worker": [
                "--faults-frame-trace=\(folder.path)/frames.jsonl", "--worker-chunk-bytes=8388608", "--worker-sweep-ms=500",
            ],
        ])
        let supervisor = Supervisor(logger: logger)
        let cluster = try EmbeddedCluster(
            folder: folder, workers: workers, wiring: wiring, isThrowaway: false, logger: logger)
        do {
            try await cluster.start(.everything, supervisor)
            let flags = ["faults.frame_trace": folder.path + "/frames.jsonl", "buckets.owners": owners]
            let values = try ConfigurationValues(
                file: folder.configuration, environment: [:], flags: Forecastle.flags.values.merging(flags) { $1 })
            return try RevocationSite(
                values: values, variables: EnvironmentFile.variables(at: folder.environment), supervisor: supervisor,
                folder: folder)
        } catch {
            await supervisor.stopAll()
            throw error
        }
    }

    /// A cluster that runs: its configuration, and the customer's variables of its env file in the environment.
    static func running(_ file: String) throws -> RevocationSite {
        let environment = ProcessInfo.processInfo.environment
        let values = try ConfigurationValues(file: file, environment: environment, flags: Forecastle.flags.values)
        return try RevocationSite(values: values, variables: environment, supervisor: nil, folder: nil)
    }

    func stop() async {
        if supervisor == nil {
            // What nobody uses any more must not be able to do everything in a customer's account.
            for tenant in visited.withLock({ $0 }) { try? await tenant.leave() }
        }
        for pool in [jobs, authority] { pool.close() }
        await supervisor?.stopAll()
    }

    /// The accounts that own the buckets, each with an administrator who is made here.
    func accounts(_ count: Int) async throws -> [Tenant] {
        var owned: [(id: String, bucket: String)] = []
        for entry in values.list("buckets.owners") {
            let parts = entry.split(separator: "=").map(String.init)
            if parts.count == 2, !owned.contains(where: { $0.id == parts[1] }) { owned.append((parts[1], parts[0])) }
        }
        if owned.isEmpty { owned = [(values.string("buckets.default_owner"), "revoke")] }
        let made = try await tenants.make(Array(owned.prefix(count)), user: "revoke-\(getpid())", pool: authority)
        visited.withLock { $0 = made }
        return made
    }

    private var tenants: TenantAccounts { TenantAccounts(values: values, variables: variables) }

    func client(_ id: String, _ secret: String, token: String? = nil, attempts: Int = 4) throws -> EnvironmentClient {
        try tenants.client(id, secret, token: token, attempts: attempts)
    }
}
