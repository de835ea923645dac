import AWSProtocol
import ArgumentParser
import Foundation
import Glibc
import Logging
import Postgres

/// A whole durable cluster of our own for a benchmark, with tenants, in a folder that goes when it ends.
final class BenchCluster: Sendable {
    let cluster: EmbeddedCluster
    let supervisor: Supervisor
    let values: ConfigurationValues
    let jobs: PostgresPool
    let tenants: [Tenant]
    let workers: Int

    private static let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
    static let patience: Duration = .seconds(1800)

    /// - Parameter flags: settings by process, besides what every benchmark has.
    static func start(
        in folder: BenchFolder, tenants count: Int, workers: Int, flags: [String: [String]] = [:]
    ) async throws -> BenchCluster {
        // PostgreSQL's own user has to reach its folder.
        chmod(folder.path, 0o711)
        let data = DataFolder(folder.file("c"))
        try data.create()
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = .error
            return handler
        }
        let owners = (0..<count).map { "bench-\($0)=\(Tenant.accountID($0))" }
        // Quotas would be what is measured.
        var wiring = ClusterWiring(flags: [
            "api": ["--buckets-owners=\(owners.joined(separator: ","))"], "authority": ["--authority-quota-percent=0"],
        ])
        for (name, more) in flags { wiring.flags[name, default: []] += more }
        let supervisor = Supervisor(logger: logger, restartDelayMax: .seconds(1))
        let cluster = try EmbeddedCluster(
            folder: data, workers: workers, wiring: wiring, isThrowaway: false, logger: logger)
        do {
            try await cluster.start(.everything, supervisor)
            let values = try ConfigurationValues(
                file: data.configuration, environment: ProcessInfo.processInfo.environment, flags: Forecastle.flags.values)
            let authority = pool(cluster.postgres.connection(.authority))
            defer { authority.close() }
            let made = try await TenantAccounts(
                values: values, variables: EnvironmentFile.variables(at: data.environment)
            ).make(
                (0..<count).map { (Tenant.accountID($0), "bench-\($0)") }, user: "bench", pool: authority)
            for tenant in made {
                try FileManager.default.createDirectory(
                    atPath: "\(data.buckets)/\(tenant.bucket)", withIntermediateDirectories: true)
            }
            return BenchCluster(
                cluster: cluster, supervisor: supervisor, values: values, jobs: pool(cluster.postgres.connection(.jobs)),
                tenants: made, workers: workers)
        } catch {
            await supervisor.stopAll()
            throw error
        }
    }

    private static func pool(_ connection: String) -> PostgresPool {
        var configuration = PostgresConfiguration(connection: connection, applicationName: "forecastle bench")
        configuration.maximumConnections = 2
        configuration.statementTimeout = .seconds(600)
        return PostgresPool(configuration: configuration, logger: logger)
    }

    private init(
        cluster: EmbeddedCluster, supervisor: Supervisor, values: ConfigurationValues, jobs: PostgresPool, tenants: [Tenant],
        workers: Int
    ) {
        self.cluster = cluster
        self.supervisor = supervisor
        self.values = values
        self.jobs = jobs
        self.tenants = tenants
        self.workers = workers
    }

    func stop() async {
        jobs.close()
        await supervisor.stopAll()
    }

    func bucketFile(_ name: String, of tenant: Tenant) -> String { "\(cluster.folder.buckets)/\(tenant.bucket)/\(name)" }

    // MARK: Processes

    var workerNames: [String] { (1...workers).map { "worker-\($0)" } }
    var processNames: [String] { workerNames + ["api", "authority", "postgres", "broker"] }

    func pid(_ name: String) throws -> pid_t {
        guard let pid = supervisor.child(name)?.pid else {
            throw CommandFailure("\(name) does not run; its log: \(cluster.folder.log(name))", MessageExit.inputOutput)
        }
        return pid
    }

    /// CPU time so far; of PostgreSQL with its sessions.
    func cpuSeconds(_ names: [String]) throws -> Double {
        try names.reduce(0) { $0 + ProcessTimes.seconds(of: try pid($1), withChildren: $1 == "postgres") }
    }

    /// Highest resident memory of a process so far; of PostgreSQL its postmaster's alone, whose sessions share most of theirs.
    func peakBytes(_ name: String) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(try pid(name))/status", encoding: .utf8)
        for line in text.split(separator: "\n") where line.hasPrefix("VmHWM:") {
            return (line.split { !$0.isNumber }.first.flatMap { Int($0) } ?? 0) * 1024
        }
        return 0
    }

    /// Ends a worker, which stays away until `bringBack`.
    func sendAway(_ name: String) async throws {
        supervisor.hold(name)
        await supervisor.child(name)?.stop(grace: .seconds(15))
    }

    /// Lets the worker be started again and waits until it has claimed the right to work.
    func bringBack(_ name: String) async throws {
        supervisor.letGo(name)
        try await JobsCluster.waiting(name) { supervisor.child(name) != nil }
        let pid = try pid(name)
        try await JobsCluster.waiting("\(name) to be ready") {
            try await jobs.query("SELECT 1 AS one FROM job_worker WHERE name LIKE \("worker-\(pid)-%")").first != nil
        }
    }

    // MARK: Jobs

    /// Waits for a job's end and throws what it says where it did not succeed.
    func succeeded(_ arn: String, every pause: Duration = .milliseconds(10)) async throws {
        let deadline = ContinuousClock.now + Self.patience
        while ContinuousClock.now < deadline {
            let row = try await jobs.query(
                "SELECT state, message FROM job WHERE resource = \(arn) AND finished_at IS NOT NULL"
            ).first
            if let row {
                guard try row.get("state", as: String.self) == "succeeded" else {
                    throw CommandFailure("\(arn): \(try row.get("message", as: String?.self) ?? "")", .failure)
                }
                return
            }
            try await Task.sleep(for: pause)
        }
        throw CommandFailure("\(arn) did not end within \(Self.patience).", .failure)
    }
}
