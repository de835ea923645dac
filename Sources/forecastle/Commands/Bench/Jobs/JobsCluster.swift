import ArgumentParser
import Crypto
import Foundation
import Glibc
import Jobs
import Logging
import Postgres

/// What the benchmark runs against: a PostgreSQL server of its own with full durability, the embedded broker, a database,
/// and worker processes as they are needed.
final class JobsCluster: Sendable {
    static let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }

    let folder: DataFolder
    let signer = SpecificationSigner(privateKey: Curve25519.Signing.PrivateKey())
    private let server: ChildProcess
    private let broker: ChildProcess
    private let postgres: EmbeddedPostgres
    private let executable: String

    static func start(below path: String) async throws -> JobsCluster {
        let folder = DataFolder(path)
        try folder.create()
        let postgres = try EmbeddedPostgres(folder: folder, isThrowaway: false)
        let server = try await postgres.start()
        try await postgres.prepare(logger: logger)
        let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let broker = try await ChildProcess.start(
            name: "broker",
            executable: URL(fileURLWithPath: executable).deletingLastPathComponent().path + "/forecastle-broker",
            arguments: ["--data", folder.path], environment: environment, log: folder.log("broker"))
        let cluster = JobsCluster(folder: folder, postgres: postgres, server: server, broker: broker, executable: executable)
        try await waiting("the broker") { FileManager.default.fileExists(atPath: folder.brokerAddress) }
        return cluster
    }

    private init(
        folder: DataFolder, postgres: EmbeddedPostgres, server: ChildProcess, broker: ChildProcess, executable: String
    ) {
        self.folder = folder
        self.postgres = postgres
        self.server = server
        self.broker = broker
        self.executable = executable
    }

    private static var environment: [String: String] {
        ProcessInfo.processInfo.environment.merging([ParentWatch.variable: "\(getpid())"]) { $1 }
    }

    func stop() async {
        await broker.stop(grace: .seconds(5))
        await server.stop(with: SIGINT, grace: .seconds(20))
    }

    /// A migrated database of its own.
    func database(_ name: String, values: ConfigurationValues) async throws -> JobsDatabaseUnderTest {
        let maintenance = try Self.pool(postgres.superuserConnection)
        try await maintenance.execute("CREATE DATABASE \(raw: name)")
        maintenance.close()
        let connection = "host=\(folder.sockets) port=5432 user=postgres dbname=\(name)"
        let pool = try Self.pool(connection, connections: 16)
        _ = try await Migrations(directory: try MigrationsFolder.find(values), set: .jobs).up(on: pool)
        return JobsDatabaseUnderTest(cluster: self, connection: connection, pool: pool)
    }

    static func pool(
        _ connection: String, connections: Int = 10, logger: Logger = JobsCluster.logger
    ) throws -> PostgresPool {
        var configuration = PostgresConfiguration(connection: connection, applicationName: "forecastle bench")
        configuration.maximumConnections = connections
        configuration.statementTimeout = .seconds(300)
        configuration.plannerSettings = JobsSettings.plannerSettings
        return PostgresPool(configuration: configuration, logger: logger)
    }

    /// A broker that is there and answers nobody.
    func pauseBroker(_ isPaused: Bool) { broker.signal(isPaused ? SIGSTOP : SIGCONT) }

    func startWorker(_ name: String, slots: Int, on connection: String) async throws -> ChildProcess {
        try await ChildProcess.start(
            name: name, executable: executable,
            arguments: [
                "bench", "jobs-worker", "--postgres", connection, "--broker-file", folder.brokerAddress, "--public-key",
                signer.publicKey.map { (($0 < 16 ? "0" : "") + String($0, radix: 16)) }.joined(), "--slots", "\(slots)",
                "--name", name,
            ], environment: Self.environment, log: folder.log("worker"))
    }

    /// CPU time so far of the server with all its sessions, the broker, and the workers given.
    func cpuSeconds(with workers: [ChildProcess]) -> Double {
        ProcessTimes.seconds(of: server.pid, withChildren: true) + ProcessTimes.seconds(of: broker.pid)
            + workers.reduce(0) { $0 + ProcessTimes.seconds(of: $1.pid) }
    }

    static func bytes(ofHex text: String) -> [UInt8]? {
        guard text.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        var rest = Substring(text)
        while !rest.isEmpty {
            guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return bytes
    }

    /// Waits, at most two minutes, for what another process brings about.
    static func waiting(
        _ what: String, limit: Duration = .seconds(120), every interval: Duration = .milliseconds(5),
        _ holds: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + limit
        while try await !holds() {
            guard ContinuousClock.now < deadline else { throw CommandFailure("Waited in vain for \(what).", .failure) }
            try await Task.sleep(for: interval)
        }
    }
}

/// CPU time as the kernel accounts for it.
enum ProcessTimes {
    /// User and system time of a process; with its children, those that ended included.
    static func seconds(of pid: pid_t, withChildren: Bool = false) -> Double {
        guard let own = ticks(of: pid) else { return 0 }
        var ticks = own.own
        if withChildren {
            ticks += own.ended
            for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
                guard let child = pid_t(entry), let times = self.ticks(of: child), times.parent == pid else { continue }
                ticks += times.own
            }
        }
        return Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// From `/proc/PID/stat` (proc(5)): fields 4 and 14 to 17.
    private static func ticks(of pid: pid_t) -> (parent: pid_t, own: Int, ended: Int)? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 14, let parent = pid_t(fields[1]) else { return nil }
        let times = fields[11...14].compactMap { Int($0) }
        guard times.count == 4 else { return nil }
        return (parent, times[0] + times[1], times[2] + times[3])
    }
}
