import AWSProtocol
import Accounts
import AuthorityAPI
import Foundation
import Glibc
import Keys
import Logging
import Postgres
import Secrets

/// The parts of an embedded cluster, in the order in which they start.
struct EmbeddedCluster: Sendable {
    static let customer = "123456789012"
    static let readyTimeout: Duration = .seconds(120)

    let folder: DataFolder
    let workers: Int
    private(set) var wiring: ClusterWiring
    let logger: Logger
    let postgres: EmbeddedPostgres
    let authorityPort: Int
    let apiPort: Int
    let dialsPorts: DialsPorts
    /// Nil for a cluster that speaks plain text.
    let certificates: EmbeddedCertificates?
    private let executable: String

    /// - Parameter usesTLS: between clients, API, workers and authority; PostgreSQL is reached by its Unix socket, and the broker can't.
    init(
        folder: DataFolder, workers: Int, wiring: ClusterWiring = ClusterWiring(), isThrowaway: Bool, usesTLS: Bool = false,
        logger: Logger
    ) throws {
        certificates = usesTLS ? EmbeddedCertificates(path: folder.certificates) : nil
        self.folder = folder
        self.workers = workers
        self.wiring = wiring
        self.logger = logger
        postgres = try EmbeddedPostgres(folder: folder, isThrowaway: isThrowaway)
        executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        // The same ports again after a restart, where they are free: clients keep their settings.
        let known = (try? String(contentsOfFile: folder.ports, encoding: .utf8))?.split(separator: " ").compactMap { Int($0) }
        let first = try LoopbackPort.free(preferring: known?.first)
        authorityPort = first
        apiPort = try LoopbackPort.free(preferring: known?.last, besides: first)
        try folder.write("\(authorityPort) \(apiPort)", to: folder.ports)
        dialsPorts = try DialsPorts(
            ["authority", "api"] + (1...max(1, workers)).map { "worker-\($0)" },
            known: (try? String(contentsOfFile: folder.dialsPorts, encoding: .utf8)) ?? "",
            besides: [authorityPort, apiPort])
        try folder.write(dialsPorts.text, to: folder.dialsPorts)
    }

    /// The same cluster, its processes started otherwise.
    func wired(_ wiring: ClusterWiring) -> EmbeddedCluster {
        var cluster = self
        cluster.wiring = wiring
        return cluster
    }

    func start(_ part: Up.Part, _ supervisor: Supervisor) async throws {
        try await supervisor.start(
            .init(name: "postgres", stopSignal: SIGINT, stopGrace: .seconds(20)) { try await postgres.start() })
        try await postgres.prepare(logger: logger)
        try folder.write(postgres.superuserConnection + "\n", to: folder.postgresConnection)
        guard part != .postgres else { return }
        try await supervisor.start(
            .init(name: "broker") {
                try? FileManager.default.removeItem(atPath: folder.brokerAddress)
                return try await child(
                    "broker",
                    executable: URL(fileURLWithPath: executable).deletingLastPathComponent().path + "/forecastle-broker",
                    ["--data", folder.path] + (wiring.flags["broker"] ?? []))
            })
        try await wait(for: "the broker") { FileManager.default.fileExists(atPath: folder.brokerAddress) }
        try certificates?.prepare()
        let values = try writeConfiguration()
        try await migrate(values)
        try await bootstrap(values)
        try await supervisor.start(role("authority"))
        try await wait(for: "the authority") { LoopbackPort.accepts(authorityPort) }
        guard part == .everything else { return }
        try await supervisor.start(role("api"))
        for number in 1...max(1, workers) {
            try await supervisor.start(role("worker", number: number))
        }
        try await wait(for: "the API") { LoopbackPort.accepts(apiPort) }
    }

    var scheme: String { certificates == nil ? "http" : "https" }
    var apiEndpoint: String { "\(scheme)://127.0.0.1:\(apiPort)" }
    var authorityEndpoint: String { "\(scheme)://127.0.0.1:\(authorityPort)" }

    /// What a person reads, and what `DIR/ready` holds.
    func announcement(_ part: Up.Part) -> String {
        switch part {
        case .postgres: return "PostgreSQL  \(postgres.superuserConnection)\n"
        case .authority: return "KMS, STS, CloudTrail  \(authorityEndpoint)\n"
        case .everything: break
        }
        return """
            Forecastle is up. Nothing of it is reachable from another machine.
              Forecast, ForecastQuery   \(wiring.clientEndpoint ?? apiEndpoint)
              KMS, STS, CloudTrail      \(authorityEndpoint)
              buckets                   \(folder.buckets)
              settings                  \(folder.configuration)
              logs                      \(folder.logs)
              dials (/readyz, /metrics) \(dialsPorts.ports.map { "\($0.process) :\($0.port)" }.joined(separator: ", "))
            Next:  source \(folder.environment)   then, for instance:   aws kms list-keys

            """
    }

    // MARK: Parts

    /// The settings of every role, in a file that people may look at.
    private func writeConfiguration() throws -> ConfigurationValues {
        let settings: [(String, String)] = [
            ("api.port", "\(apiPort)"),
            ("api.credentials_file", folder.credentials + "/api.json"),
            ("api.signing_key_file", folder.credentials + "/specification.key"),
            ("authority.port", "\(authorityPort)"),
            ("authority.endpoint", authorityEndpoint),
            ("authority.postgres", postgres.connection(.authority, as: "server")),
            ("authority.postgres_owner", postgres.connection(.authority)),
            ("authority.postgres_reader", postgres.connection(.authority, as: "reader")),
            ("authority.vault_directory", folder.vault),
            ("authority.root_key_file", folder.rootKey),
            ("audit.heads_directory", folder.auditHeads),
            ("audit.signing_key_file", folder.credentials + "/audit.key"),
            ("audit.verifying_key_files", folder.credentials + "/audit.pub"),
            ("postgres.allow_unsafe", postgres.isThrowaway ? "true" : "false"),
            // For people's tools; API and workers are started with their own (`role`).
            ("jobs.postgres", postgres.connection(.jobs, as: "operator")),
            ("jobs.postgres_owner", postgres.connection(.jobs)),
            ("jobs.postgres_reader", postgres.connection(.jobs, as: "reader")),
            ("kafka.bootstrap_file", folder.brokerAddress),
            ("buckets.default_owner", Self.customer),
            ("worker.credentials_file", folder.credentials + "/worker.json"),
            ("worker.verifying_key_file", folder.credentials + "/specification.pub"),
            (
                "migrations.directory",
                try MigrationsFolder.find(
                    ConfigurationValues(
                        file: nil, environment: ProcessInfo.processInfo.environment, flags: Forecastle.flags.values))
            ),
        ]
        // In the cluster's own folders, unless flags or the environment say which S3 has them.
        let given = try ConfigurationValues(
            file: nil, environment: ProcessInfo.processInfo.environment, flags: Forecastle.flags.values)
        let folders = [
            ("artifacts.directory", folder.artifacts, unless: "artifacts.s3.bucket"),
            ("buckets.directory", folder.buckets, unless: "buckets.s3.endpoint"),
        ].filter { given.string($0.unless).isEmpty }.map { ($0.0, $0.1) }
        let certificates = certificates?.settings ?? []
        var sections: [(String, [String])] = []
        for (name, value) in settings + folders + certificates {
            let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
            let line = "  \(parts[1]): \"\(value)\""
            if let index = sections.firstIndex(where: { $0.0 == parts[0] }) {
                sections[index].1.append(line)
            } else {
                sections.append((parts[0], [line]))
            }
        }
        let text =
            "# Written by forecastle up at each start.\n"
            + sections.map { "\($0.0):\n\($0.1.joined(separator: "\n"))\n" }.joined()
        try folder.write(text, to: folder.configuration)
        return try ConfigurationValues(
            file: folder.configuration, environment: ProcessInfo.processInfo.environment, flags: Forecastle.flags.values)
    }

    private func migrate(_ values: ConfigurationValues) async throws {
        for (set, database) in [(Migrations.Set.jobs, EmbeddedPostgres.Database.jobs), (.authority, .authority)] {
            let pool = PostgresPool(
                configuration: .init(connection: postgres.connection(database), applicationName: "forecastle up"), logger: logger)
            defer { pool.close() }
            let folder = try MigrationsFolder.find(values)
            _ = try await Migrations(directory: folder, set: set).up(on: pool)
            try await DatabaseRoles(directory: folder, set: set).grant(on: pool)
        }
    }

    private func bootstrap(_ values: ConfigurationValues) async throws {
        try await Bootstrap(folder: folder, values: values).run(customer: Self.customer)
        try writeEnvironment(values)
    }

    /// Everything that an unmodified client needs, to be sourced.
    private func writeEnvironment(_ values: ConfigurationValues) throws {
        let admin = try CredentialsFile(path: folder.credentials(of: "admin")).read()
        let (api, authority) = (wiring.clientEndpoint ?? apiEndpoint, authorityEndpoint)
        let variables: [(String, String)] =
            [
                ("AWS_ENDPOINT_URL_FORECAST", api), ("AWS_ENDPOINT_URL_FORECASTQUERY", api),
                ("AWS_ENDPOINT_URL_KMS", authority), ("AWS_ENDPOINT_URL_STS", authority), ("AWS_ENDPOINT_URL_IAM", authority),
                ("AWS_ENDPOINT_URL_CLOUDTRAIL", authority), ("AWS_REGION", values.string("region")),
                ("AWS_DEFAULT_REGION", values.string("region")), ("AWS_ACCESS_KEY_ID", admin.accessKeyID),
                ("AWS_SECRET_ACCESS_KEY", admin.secretAccessKey.revealed), ("FORECASTLE_BUCKETS", folder.buckets),
                ("FORECASTLE_CONFIG", folder.configuration), ("FORECASTLE_DIALS", dialsPorts.variable),
            ] + (certificates.map { [("AWS_CA_BUNDLE", $0.authority)] } ?? [])
        let unset = "unset AWS_SESSION_TOKEN AWS_PROFILE" + (certificates == nil ? " AWS_CA_BUNDLE\n" : "\n")
        try folder.write(
            variables.map { "export \($0.0)='\($0.1)'\n" }.joined() + unset,
            to: folder.environment)
    }

    // MARK: Processes

    /// - Parameter settings: flags that come before the folder's settings.
    func role(_ name: String, number: Int? = nil, settings: [String] = []) -> Supervisor.Member {
        let title = number.map { "\(name)-\($0)" } ?? name
        return .init(name: title) {
            // Later flags win: what the wiring says of one process stands last.
            var arguments =
                [
                    name, "--config", folder.configuration, "--dials-port=\(dialsPorts.port(of: title) ?? 0)",
                    "--dials-file=\(folder.dials(title))",
                ] + databaseRole(of: name) + Forecastle.flags.arguments + settings
            for target in number == nil ? [title] : [name, title] { arguments += wiring.flags[target] ?? [] }
            if let faults = wiring.faults.take(title) { arguments += ["--faults-points=\(faults)"] }
            let program = wiring.launchers[title].map { ($0[0], Array($0.dropFirst()) + [executable]) } ?? (executable, [])
            return try await child(title, executable: program.0, program.1 + arguments)
        }
    }

    /// API and workers have a role of their own each in the jobs database.
    private func databaseRole(of name: String) -> [String] {
        ["api", "worker"].contains(name) ? ["--jobs-postgres=\(postgres.connection(.jobs, as: name))"] : []
    }

    private func child(_ name: String, executable: String, _ arguments: [String]) async throws -> ChildProcess {
        var environment = ProcessInfo.processInfo.environment
        environment[ParentWatch.variable] = "\(getpid())"
        return try await ChildProcess.start(
            name: name, executable: executable, arguments: arguments, environment: environment, log: folder.log(name))
    }

    func wait(for what: String, _ isReady: () -> Bool) async throws {
        let deadline = ContinuousClock.now + Self.readyTimeout
        while !isReady() {
            guard ContinuousClock.now < deadline else {
                throw ChildProcess.Failure(description: "\(what) was not ready within \(Self.readyTimeout); logs: \(folder.logs)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
