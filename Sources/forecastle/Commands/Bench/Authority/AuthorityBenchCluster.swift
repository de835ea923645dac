import AWSProtocol
import Accounts
import Foundation
import Glibc
import Logging
import Postgres

/// A durable PostgreSQL and authorities of our own for a benchmark, in a folder that goes when it ends.
struct AuthorityBenchCluster: Sendable {
    static let region = "us-west-2"
    /// The role that AssumeRole and grants are about.
    static let role = "bench"

    let cluster: EmbeddedCluster
    let supervisor: Supervisor
    private let logger: Logger

    static func start(in folder: BenchFolder) async throws -> AuthorityBenchCluster {
        // PostgreSQL's own user has to reach its folder.
        chmod(folder.path, 0o711)
        let data = DataFolder(folder.file("c"))
        try data.create()
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = .error
            return handler
        }
        let logger = Logger(label: "forecastle.bench")
        let supervisor = Supervisor(logger: logger)
        // Quotas would be what is measured.
        let wiring = ClusterWiring(flags: ["authority": ["--authority-quota-percent", "0"]])
        let cluster = try EmbeddedCluster(folder: data, workers: 0, wiring: wiring, isThrowaway: false, logger: logger)
        let bench = AuthorityBenchCluster(cluster: cluster, supervisor: supervisor, logger: logger)
        do {
            try await cluster.start(.authority, supervisor)
            try await bench.makeRole()
        } catch {
            await supervisor.stopAll()
            throw error
        }
        return bench
    }

    func stop() async { await supervisor.stopAll() }

    var database: pid_t? { supervisor.pid(of: "postgres") }

    func values() throws -> ConfigurationValues {
        try ConfigurationValues(
            file: cluster.folder.configuration, environment: ProcessInfo.processInfo.environment, flags: Forecastle.flags.values)
    }

    func generator(port: Int) throws -> LoadGenerator {
        let admin = try CredentialsFile(path: cluster.folder.credentials + "/admin.json").read()
        return LoadGenerator(port: port, signer: LoadSigner(credentials: admin, region: Self.region, port: port))
    }

    var firstAuthority: (port: Int, pid: pid_t) {
        get throws { (cluster.authorityPort, try pid(of: "authority")) }
    }

    /// Another authority process, over the same database or another.
    func startAuthority(number: Int, database: String? = nil) async throws -> (port: Int, pid: pid_t) {
        let port = try LoopbackPort.free(preferring: nil)
        var settings = ["--authority-port=\(port)"]
        if let database { settings.append("--authority-postgres=\(connection(database))") }
        try await supervisor.start(cluster.role("authority", number: number, settings: settings))
        try await cluster.wait(for: "authority \(number)") { LoopbackPort.accepts(port) }
        return (port, try pid(of: "authority-\(number)"))
    }

    /// A copy of the authority's database as it is now. Its sessions are ended for it; the authority makes new ones.
    func copyDatabase(to name: String) async throws {
        let pool = PostgresPool(configuration: .init(connection: cluster.postgres.superuserConnection), logger: logger)
        defer { pool.close() }
        let owner = EmbeddedPostgres.Database.authority.rawValue
        try await pool.execute("ALTER DATABASE \(raw: owner) ALLOW_CONNECTIONS false")
        try await pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = \(owner)::name")
        try await pool.execute("CREATE DATABASE \(raw: name) OWNER \(raw: owner) TEMPLATE \(raw: owner)")
        try await pool.execute("ALTER DATABASE \(raw: owner) ALLOW_CONNECTIONS true")
    }

    func pool(database: String? = nil) -> PostgresPool {
        PostgresPool(
            configuration: .init(
                connection: database.map(connection) ?? cluster.postgres.connection(.authority),
                applicationName: "forecastle bench"),
            logger: logger)
    }

    private func connection(_ database: String) -> String {
        "host=\(cluster.folder.sockets) port=5432 user=\(EmbeddedPostgres.Database.authority.rawValue) dbname=\(database)"
    }

    private func pid(of member: String) throws -> pid_t {
        guard let pid = supervisor.pid(of: member) else {
            throw CommandFailure("\(member) does not run; its log: \(cluster.folder.log(member))", MessageExit.inputOutput)
        }
        return pid
    }

    var roleARN: String { "arn:aws:iam::\(EmbeddedCluster.customer):role/\(Self.role)" }

    /// A user of the customer without rights of its own.
    func makeUser(_ name: String) async throws -> AWSCredentials {
        let pool = pool()
        defer { pool.close() }
        let core = try await AuthorityCore.open(
            RoleProcess(name: "bench", values: try values()), pool: pool, createRootKey: false)
        _ = try await core.accounts.createUser(name, account: EmbeddedCluster.customer, by: .commandLine)
        let key = try await core.accounts.createAccessKey(user: name, account: EmbeddedCluster.customer, by: .commandLine)
        return AWSCredentials(accessKeyID: key.accessKeyID, secretAccessKey: key.secretAccessKey)
    }

    private func makeRole() async throws {
        let pool = pool()
        defer { pool.close() }
        let core = try await AuthorityCore.open(
            RoleProcess(name: "bench", values: try values()), pool: pool, createRootKey: false)
        let trust = """
            {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
            "Principal":{"AWS":"arn:aws:iam::\(EmbeddedCluster.customer):root"}}]}
            """
        _ = try await core.accounts.createRole(
            Self.role, account: EmbeddedCluster.customer, trustPolicy: trust, by: .commandLine)
    }
}
