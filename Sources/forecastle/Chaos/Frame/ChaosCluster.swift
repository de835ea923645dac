import AWSProtocol
import FaultInjection
import Foundation
import Glibc
import Kafka
import Logging
import Postgres
import Verification

/// The cluster that a case runs in: an embedded one of its own, whose processes, connections and broker can be tampered with,
/// or one that runs already, of which a case sees what clients, databases and files show.
final class ChaosCluster: Sendable {
    let folder: DataFolder
    let setup: ChaosSetup
    let supervisor: Supervisor
    let faults: PlannedFaults
    /// Of the databases themselves, around every proxy.
    let jobs: PostgresPool
    let authority: PostgresPool
    /// As PostgreSQL's superuser, on the jobs database.
    let superuser: PostgresPool
    /// The file that its processes were started with, and what of it cases look at.
    let configuration: String
    let artifacts: String
    let buckets: String
    /// Nil where it runs already.
    private let embedded: EmbeddedCluster?
    private let proxies: [ChaosRoute: FaultProxy]
    private let proxyTasks: [Task<Void, any Error>]
    private let logger = Logger(label: "chaos") { _ in SwiftLogNoOpLogHandler() }

    private static let restartDelayMax: Duration = .seconds(1)
    private static let killGrace: Duration = .seconds(30)

    init(folder: DataFolder, setup: ChaosSetup, seed: UInt64) throws {
        self.folder = folder
        self.setup = setup
        supervisor = Supervisor(logger: logger, restartDelayMax: Self.restartDelayMax)
        faults = PlannedFaults()
        var wiring = ClusterWiring()
        wiring.faults = faults
        wiring.launchers = setup.launchers
        for role in ["api", "worker"] { wiring.flags[role] = ChaosSetup.defaults }
        for (name, flags) in setup.flags { wiring.flags[name, default: []] += flags }
        wiring.flags["broker", default: []] += ["--takes-orders", "--brokers", "\(setup.brokers)"]
        let plain = try EmbeddedCluster(folder: folder, workers: setup.workers, isThrowaway: false, logger: logger)
        let routed = try ProxyPlan(routes: setup.routes, cluster: plain, seed: seed, logger: logger)
        for (name, flags) in routed.flags { wiring.flags[name, default: []] += flags }
        proxies = routed.proxies
        embedded = plain.wired(wiring)
        proxyTasks = routed.proxies.values.map { proxy in Task { try await proxy.run() } }
        clientEndpoint = routed.clientEndpoint
        (configuration, artifacts, buckets) = (folder.configuration, folder.artifacts, folder.buckets)
        jobs = Self.pool(plain.postgres.connection(.jobs), 4)
        authority = Self.pool(plain.postgres.connection(.authority), 2)
        superuser = Self.pool(
            plain.postgres.superuserConnection.replacing("dbname=postgres", with: "dbname=forecastle_jobs"), 4)
    }

    /// One that runs. `folder` is for what the case writes down.
    init(configuration: String, folder: DataFolder) throws {
        self.folder = folder
        self.configuration = configuration
        (setup, faults, embedded, proxies, proxyTasks, clientEndpoint) = (ChaosSetup(), PlannedFaults(), nil, [:], [], nil)
        supervisor = Supervisor(logger: logger, restartDelayMax: Self.restartDelayMax)
        let values = try ConfigurationValues(
            file: configuration, environment: ProcessInfo.processInfo.environment, flags: Forecastle.flags.values)
        artifacts = try values.required("artifacts.directory")
        buckets = try values.required("buckets.directory")
        jobs = Self.pool(try values.required("jobs.postgres"), 4)
        authority = Self.pool(try values.required("authority.postgres"), 2)
        superuser = jobs
    }

    private static func pool(_ connection: String, _ connections: Int) -> PostgresPool {
        var configuration = PostgresConfiguration(connection: connection, applicationName: "forecastle chaos")
        configuration.maximumConnections = connections
        configuration.statementTimeout = .seconds(60)
        configuration.idleTransactionTimeout = .seconds(300)
        return PostgresPool(configuration: configuration, logger: Logger(label: "chaos") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Where the customer reaches the API.
    private let clientEndpoint: String?

    /// Whether the cluster is the case's own.
    var isOwn: Bool { embedded != nil }

    /// What only a cluster of the case's own has.
    private var own: EmbeddedCluster {
        guard let embedded else { preconditionFailure("A case that reaches for processes runs in a cluster of its own.") }
        return embedded
    }

    func start() async throws {
        try await embedded?.start(.everything, supervisor)
    }

    func stop() async {
        // A stopped process hears no request to end.
        for name in members { supervisor.child(name)?.signal(SIGCONT) }
        for pid in postgresProcesses { kill(pid, SIGCONT) }
        for proxy in proxies.values { proxy.heal() }
        for pool in [jobs, authority, superuser] { pool.close() }
        await supervisor.stopAll()
        for task in proxyTasks { task.cancel() }
    }

    // MARK: What it is made of

    var workers: [String] { isOwn ? (1...setup.workers).map { "worker-\($0)" } : [] }
    private var members: [String] { workers + ["api", "authority", "broker", "postgres"] }
    var postgresBinaries: String { own.postgres.binaries }

    /// The role processes on this machine, by their role.
    func processes(_ role: String) -> [pid_t] {
        ClusterProcesses.running(configuration: configuration).filter { $0.role == role }.map(\.pid)
    }

    /// The variables of its env file; of a cluster that runs, those of ours, into which that file was sourced.
    func environment() throws -> [String: String] {
        guard isOwn else { return ProcessInfo.processInfo.environment }
        var variables = try EnvironmentFile.variables(at: folder.environment)
        if let clientEndpoint { variables["AWS_ENDPOINT_URL_FORECAST"] = clientEndpoint }
        return variables
    }

    func proxy(_ route: ChaosRoute) -> FaultProxy {
        guard let proxy = proxies[route] else { preconditionFailure("The case's setup has no route \(route).") }
        return proxy
    }

    func log(_ name: String) -> String { (try? String(contentsOfFile: folder.log(name), encoding: .utf8)) ?? "" }

    /// How often a worker said in its log that a lease of its own was gone: it saw so itself, or the row's fence refused it.
    func lostLeases(_ worker: String) -> Int {
        log(worker).split(separator: "\n").count {
            $0.contains("A lease was lost") || $0.contains("This attempt no longer owns its task")
        }
    }

    func count(_ query: PostgresQuery) async throws -> Int { try await jobs.query(query).first?.get("n") ?? 0 }

    func openJobs() async throws -> Int { try await count("SELECT count(*) AS n FROM job WHERE finished_at IS NULL") }

    private func values() throws -> ConfigurationValues {
        try ConfigurationValues(
            file: configuration, environment: isOwn ? [:] : ProcessInfo.processInfo.environment,
            flags: isOwn ? [:] : Forecastle.flags.values)
    }

    /// The service's own principal that workers are.
    func serviceWorker() throws -> (credentials: AWSCredentials, account: String) {
        let values = try values()
        return (
            try CredentialsFile(path: try values.required("worker.credentials_file")).read(), values.string("service_account")
        )
    }

    // MARK: Processes

    func child(_ name: String) throws -> ChildProcess {
        guard let child = supervisor.child(name) else { throw ChaosFailure(description: "\(name) does not run") }
        return child
    }

    /// The same, once the supervisor has started it again.
    func running(_ name: String) async throws -> ChildProcess {
        let deadline = ContinuousClock.now + ChaosTrial.waitLimit
        while true {
            if let child = supervisor.child(name) { return child }
            guard ContinuousClock.now < deadline else { throw ChaosFailure(description: "\(name) was not started again") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Ends a process without asking. The supervisor starts another, unless it is held.
    @discardableResult
    func kill9(_ name: String) async throws -> ChildProcess {
        let child = try await running(name)
        child.signal(SIGKILL)
        await child.wait()
        return child
    }

    func pause(_ name: String) throws { try child(name).signal(SIGSTOP) }
    func resume(_ name: String) { supervisor.child(name)?.signal(SIGCONT) }

    /// Waits until a process other than `old` plays the member, and serves where it listens.
    func waitForNext(_ name: String, after old: ChildProcess) async throws {
        let deadline = ContinuousClock.now + ChaosTrial.waitLimit
        while true {
            if let child = supervisor.child(name), child.pid != old.pid {
                if name == "api"
                    ? LoopbackPort.accepts(own.apiPort)
                    : name == "authority" ? LoopbackPort.accepts(own.authorityPort) : true
                {
                    return
                }
            }
            guard ContinuousClock.now < deadline else { throw ChaosFailure(description: "\(name) did not come back") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Starts a worker anew with fault points.
    func restart(_ name: String, faults text: String) async throws -> ChildProcess {
        let old = try await running(name)
        faults.plan(text, for: name)
        await old.stop(grace: Self.killGrace)
        try await waitForNext(name, after: old)
        return try await running(name)
    }

    /// The postmaster and its children.
    var postgresProcesses: [pid_t] {
        guard let postmaster = supervisor.child("postgres")?.pid else { return [] }
        return [postmaster] + ClusterProcesses.children(of: postmaster)
    }

    /// Runs a program to its end and gives its exit status; its output goes to a log of the folder.
    func run(_ executable: String, _ arguments: [String], log: String) async throws -> Int32 {
        let child = try await ChildProcess.start(
            name: log, executable: executable, arguments: arguments, environment: ProcessInfo.processInfo.environment,
            log: folder.log(log))
        return await child.wait()
    }

    // MARK: Broker

    /// Has the broker carry out an order of faults, and waits until it has.
    func order(_ text: String) async throws {
        let order = "\(try FaultOrder(text))"
        let done = "order done: \(order)"
        let count = log("broker").split(separator: "\n").count { $0 == done }
        let deadline = ContinuousClock.now + ChaosTrial.waitLimit
        // Where the broker has just ended its successor's pipe is waited for.
        while !send(order) { try await pause(until: deadline, "the broker to take orders") }
        while log("broker").split(separator: "\n").count(where: { $0 == done }) <= count {
            try await pause(until: deadline, "the broker to carry out: \(order)")
        }
    }

    private func send(_ order: String) -> Bool {
        let pipe = open(folder.path + "/broker.orders", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        guard pipe >= 0 else { return false }
        defer { close(pipe) }
        let line = Array((order + "\n").utf8)
        return write(pipe, line, line.count) == line.count
    }

    private func pause(until deadline: ContinuousClock.Instant, _ what: String) async throws {
        guard ContinuousClock.now < deadline else { throw ChaosFailure(description: "waited for \(what)") }
        try await Task.sleep(for: .milliseconds(10))
    }

    /// A producer beside the cluster's own, for the time of `body`.
    func produce<R: Sendable>(
        extra: [String: String] = [:], _ body: @escaping @Sendable (KafkaProducer) async throws -> R
    ) async throws -> R {
        var configuration = try kafka()
        configuration.extra.merge(extra) { $1 }
        let producer = try KafkaProducer(configuration: configuration, logger: logger)
        return try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask {
                try await producer.run()
                return nil
            }
            group.addTask { try await body(producer) }
            defer { group.cancelAll() }
            while let answer = try await group.next() {
                if let answer { return answer }
            }
            throw ChaosFailure(description: "the producer ended")
        }
    }

    private func kafka() throws -> KafkaConfiguration {
        if isOwn { return .embedded(bootstrap: .file(folder.brokerAddress), clientID: "chaos") }
        return try RoleProcess(name: "chaos", values: try values()).kafka()
    }

    // MARK: Verification

    func verify(_ load: ChaosLoad) async throws -> Verification {
        // What every process was started with besides the file.
        let flags = try ConfigurationFlags(arguments: isOwn ? ChaosSetup.defaults + (setup.flags["worker"] ?? []) : [])
        let values = try ConfigurationValues(
            file: configuration, environment: isOwn ? [:] : ProcessInfo.processInfo.environment, flags: flags.values)
        return try await VerifiedCluster.with(values, configuration: configuration) { cluster in
            var cluster = cluster
            cluster.accepted = load.accepted
            cluster.clientErrors = load.errors
            cluster.canaries = [load.canary]
            return try await Verification.run(cluster)
        }
    }

    /// The last records of the trail, for whoever looks into a failure.
    func writeAuditTail(to file: String) async {
        let records = try? await authority.query(
            "SELECT record FROM (SELECT position, record FROM audit_records ORDER BY position DESC LIMIT 100) AS t ORDER BY position"
        )
        let lines = (records ?? []).compactMap { try? $0.get("record", as: String.self) + "\n" }
        try? Data(lines.joined().utf8).write(to: URL(fileURLWithPath: file))
    }
}
