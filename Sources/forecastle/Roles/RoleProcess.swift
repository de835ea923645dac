import AWSClients
import Foundation
import Kafka
import Logging
import Metrics
import Pipelines
import Postgres
import Secrets
import ServiceLifecycle
import Telemetry
import UnixSignals

/// What all roles begin and end with: hardening, settings, pools, the broker's address, orderly shutdown.
struct RoleProcess: Sendable {
    let name: String
    let values: ConfigurationValues
    let logger: Logger
    /// Unique among all processes, ever: a restarted one takes nothing of the old one over.
    let id: String

    /// First thing in a role.
    ///
    /// - Parameter flags: settings that the role has a shorter flag for.
    static func begin(
        _ name: String, _ options: ConfigurationOptions, flags: [String: String] = [:]
    ) throws -> RoleProcess {
        ParentWatch.bind()
        let values = try options.load(flags: flags)
        LoggingSetup.start(values)
        MetricsSystem.bootstrap(MetricsRegistry())
        let process = RoleProcess(name: name, values: values)
        try process.lockSecrets()
        return process
    }

    /// Locks that failed; the secrets behind them may reach swap.
    private static let lockFailures = "forecastle_secret_lock_failures"

    private func lockSecrets() throws {
        if values.flag("secrets.require_locked") { try SecretMemory.requireLocking() }
        SecretMemory.onLockFailure { [logger] in
            Counter(label: Self.lockFailures).increment()
            guard SecretMemory.lockFailures == 1 else { return }
            logger.warning(
                "memory for secrets cannot be locked and may reach swap; raise RLIMIT_MEMLOCK, or set secrets.require_locked")
        }
    }

    init(name: String, values: ConfigurationValues) {
        self.name = name
        self.values = values
        var logger = Logger(label: "forecastle.\(name)")
        logger[metadataKey: "pid"] = "\(getpid())"
        self.logger = logger
        id = "\(name)-\(getpid())-\(UUID().uuidString.lowercased().prefix(8))"
    }

    func pool(
        _ key: String, connections: Int? = nil, statementTimeout: Duration? = nil, plannerSettings: [String] = []
    ) throws -> PostgresPool {
        var configuration = try values.postgres(key, applicationName: "forecastle \(name)")
        configuration.maximumConnections = connections ?? values.integer("postgres.connections_max")
        configuration.statementTimeout = statementTimeout ?? values.duration(milliseconds: "postgres.statement_timeout_ms")
        configuration.plannerSettings = plannerSettings
        return PostgresPool(configuration: configuration, logger: logger)
    }

    /// Refuses to serve on a schema that is not this version's.
    func verify(_ set: Migrations.Set, on pool: PostgresPool) async throws {
        try await Migrations(directory: try MigrationsFolder.find(values), set: set).verify(on: pool)
    }

    func kafka() throws -> KafkaConfiguration { try KafkaSettings(values).configuration(clientID: id, logger: logger) }

    /// Sessions of the process's own principal and of the roles it may assume.
    ///
    /// - Parameter pool: of the jobs database.
    func roleSessions(
        credentialsFile key: String, pool: PostgresPool, transport: any AWSTransport
    ) throws -> RoleSessions {
        let credentials = try CredentialsFile(path: try values.required(key)).read()
        return RoleSessions(
            principals: ServicePrincipals(region: values.string("region"), account: values.string("service_account")),
            authority: try values.required("authority.endpoint"), process: StaticCredentials(credentials),
            transport: transport, elsewhere: try KeyServers(values).elsewhere(pool: pool))
    }

    /// Runs until SIGTERM or SIGINT; services stop in the opposite order.
    func run(_ services: [any Service]) async throws {
        let services = [CertificateWatch(values: values, role: name, logger: logger)] + services
        let group = ServiceGroup(
            configuration: .init(
                services: services.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) },
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
    }
}

/// A service made of a closure, for the small loops that tie rooms together. Cancelled at graceful shutdown.
struct LoopService: Service {
    let body: @Sendable () async throws -> Void

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await body() }
        } catch is CancellationError {
            return
        }
    }
}
