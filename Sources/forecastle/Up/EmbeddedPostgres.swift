import Foundation
import Glibc
import Logging
import Postgres

/// A PostgreSQL server of our own: a cluster in the data folder, on a Unix socket only.
struct EmbeddedPostgres: Sendable {
    let folder: DataFolder
    /// Whether its data may be lost with the machine's power.
    let isThrowaway: Bool
    let binaries: String
    /// Set where we are root: `initdb` and `postgres` refuse to run as root.
    let user: String?

    init(folder: DataFolder, isThrowaway: Bool) throws {
        self.folder = folder
        self.isThrowaway = isThrowaway
        binaries = try Self.findBinaries()
        if geteuid() == 0 {
            guard getpwnam("postgres") != nil else {
                throw ChildProcess.Failure(description: "PostgreSQL can't run as root and there is no user postgres")
            }
            user = "postgres"
        } else {
            user = nil
        }
    }

    /// Database names of an embedded cluster.
    enum Database: String, CaseIterable {
        case jobs = "forecastle_jobs"
        case authority = "forecastle_authority"

        var set: Migrations.Set { self == .jobs ? .jobs : .authority }
    }

    /// As the owner of a database, who can't see into the other.
    func connection(_ database: Database) -> String { connection(database, user: database.rawValue) }

    /// As one process or tool: `DatabaseRoles.processes`.
    func connection(_ database: Database, as process: String) -> String {
        connection(database, user: DatabaseRoles.name(of: process, in: database.set))
    }

    private func connection(_ database: Database, user: String) -> String {
        "host=\(folder.sockets) port=5432 user=\(user) dbname=\(database.rawValue)"
    }

    var superuserConnection: String { "host=\(folder.sockets) port=5432 user=postgres dbname=postgres" }

    func start() async throws -> ChildProcess {
        guard (folder.sockets + "/.s.PGSQL.5432").utf8.count < 108 else {
            throw ChildProcess.Failure(description: "\(folder.path) is too long for a Unix socket; choose a shorter --data")
        }
        if !FileManager.default.fileExists(atPath: folder.postgres + "/PG_VERSION") { try await initialise() }
        try give(folder.sockets)
        let durability = isThrowaway ? "off" : "on"
        let (executable, arguments) = asUser(
            "\(binaries)/postgres",
            [
                "-D", folder.postgres, "-k", folder.sockets, "-p", "5432", "-c", "listen_addresses=",
                "-c", "max_connections=400", "-c", "fsync=\(durability)", "-c", "synchronous_commit=on",
                "-c", "full_page_writes=\(durability)",
                // Small statements by the thousand: compiling one costs a hundred times its execution.
                "-c", "jit=off",
                "-c", "log_min_messages=warning", "-c", "log_statement=none", "-c", "log_parameter_max_length_on_error=0",
            ], dieWithParent: true)
        return try await ChildProcess.start(
            name: "postgres", executable: executable, arguments: arguments, environment: Self.environment,
            log: folder.log("postgres"))
    }

    /// Makes the databases, their owners and the roles of the processes, where they are missing.
    func prepare(logger: Logger) async throws {
        let pool = PostgresPool(configuration: .init(connection: superuserConnection), logger: logger)
        defer { pool.close() }
        try await wait(for: pool)
        for set in Migrations.Set.allCases {
            try await DatabaseRoles.create(set, on: pool)
        }
    }

    private func wait(for pool: PostgresPool) async throws {
        let deadline = ContinuousClock.now.advanced(by: EmbeddedCluster.readyTimeout)
        while true {
            do {
                _ = try await pool.query("SELECT 1")
                return
            } catch {
                guard ContinuousClock.now < deadline else {
                    throw ChildProcess.Failure(
                        description: "PostgreSQL does not answer; its log: \(folder.log("postgres"))")
                }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    private func initialise() async throws {
        try FileManager.default.createDirectory(atPath: folder.postgres, withIntermediateDirectories: true)
        chmod(folder.postgres, 0o700)
        try give(folder.postgres)
        let (executable, arguments) = asUser(
            "\(binaries)/initdb",
            [
                "-D", folder.postgres, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--data-checksums",
            ], dieWithParent: true)
        let child = try await ChildProcess.start(
            name: "initdb", executable: executable, arguments: arguments, environment: Self.environment,
            log: folder.log("initdb"))
        let status = await child.wait()
        guard status == 0 else {
            try? FileManager.default.removeItem(atPath: folder.postgres)
            throw ChildProcess.Failure(
                description: "initdb \(ChildProcess.describe(status)); its log: \(folder.log("initdb")). "
                    + "Can the user \(user ?? NSUserName()) reach \(folder.path)?")
        }
    }

    private func give(_ path: String) throws {
        guard let user, let entry = getpwnam(user) else { return }
        chown(path, entry.pointee.pw_uid, entry.pointee.pw_gid)
        // The socket is for root and for PostgreSQL's user alone: connections are trusted.
        chmod(path, 0o700)
    }

    private func asUser(_ program: String, _ arguments: [String], dieWithParent: Bool) -> (String, [String]) {
        var wrapper = ["--pdeathsig", "INT"]
        if let user { wrapper += ["--reuid", user, "--regid", user, "--init-groups"] }
        return ("/usr/bin/setpriv", wrapper + [program] + arguments)
    }

    private static let environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"]

    private static func findBinaries() throws -> String {
        let folder = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for version in versions.compactMap(Int.init).sorted(by: >) {
            let candidate = "\(folder)/\(version)/bin"
            if FileManager.default.isExecutableFile(atPath: candidate + "/initdb") { return candidate }
        }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        for candidate in path.split(separator: ":").map(String.init)
        where FileManager.default.isExecutableFile(atPath: candidate + "/initdb") {
            return candidate
        }
        throw ChildProcess.Failure(description: "no PostgreSQL server found; install the package postgresql")
    }
}
