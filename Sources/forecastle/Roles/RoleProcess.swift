import AWSClients
import Dials
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
    let registry: MetricsRegistry
    /// Those whose use is measured.
    private let pools = WatchedPools()

    /// First thing in a role.
    ///
    /// - Parameter flags: settings that the role has a shorter flag for.
    static func begin(
        _ name: String, _ options: ConfigurationOptions, flags: [String: String] = [:]
    ) throws -> RoleProcess {
        ParentWatch.bind()
        let values = try options.load(flags: flags)
        LoggingSetup.start(values)
        let process = RoleProcess(name: name, values: values)
        process.measure()
        try process.lockSecrets()
        return process
    }

    /// What is read and not counted is read before each rendering.
    private func measure() {
        MetricsSystem.bootstrap(registry)
        registry.beforeRendering { [registry, pools] in
            ProcessReadings.read()
            pools.read()
            Measure.replace(.metricSeriesDropped, [([], Double(registry.droppedSeries))])
        }
    }

    private func lockSecrets() throws {
        Measure.count(.secretLockFailures, by: 0)
        if values.flag("secrets.require_locked") { try SecretMemory.requireLocking() }
        SecretMemory.onLockFailure { [logger] in
            Measure.count(.secretLockFailures)
            guard SecretMemory.lockFailures == 1 else { return }
            logger.warning(
                "memory for secrets cannot be locked and may reach swap; raise RLIMIT_MEMLOCK, or set secrets.require_locked")
        }
    }

    init(name: String, values: ConfigurationValues, registry: MetricsRegistry = MetricsRegistry()) {
        self.registry = registry
        self.name = name
        self.values = values
        var logger = Logger(label: "forecastle.\(name)")
        logger[metadataKey: "pid"] = "\(getpid())"
        self.logger = logger
        id = "\(name)-\(getpid())-\(UUID().uuidString.lowercased().prefix(8))"
    }

    /// - Parameter poolName: what it is called in metrics; the database's name where nothing is said.
    func pool(
        _ key: String, poolName: String? = nil, connections: Int? = nil, statementTimeout: Duration? = nil,
        plannerSettings: [String] = []
    ) throws -> PostgresPool {
        var configuration = try values.postgres(key, applicationName: "forecastle \(name)")
        configuration.maximumConnections = connections ?? values.integer("postgres.connections_max")
        configuration.statementTimeout = statementTimeout ?? values.duration(milliseconds: "postgres.statement_timeout_ms")
        configuration.plannerSettings = plannerSettings
        configuration.poolName = poolName ?? String(key.prefix { $0 != "." })
        let pool = PostgresPool(configuration: configuration, logger: logger)
        pools.watch(pool)
        return pool
    }

    /// Refuses to serve on a schema that is not this version's.
    func verify(_ set: Migrations.Set, on pool: PostgresPool) async throws {
        try await Migrations(directory: try MigrationsFolder.find(values), set: set).verify(on: pool)
        if try await DatabaseRoles.isOwner(on: pool) {
            logger.warning(
                "serves as the owner of the database and may do anything there; give it its own role (docs/postgres.md)",
                metadata: ["setting": "\(values.connectionKey(set, for: .process))"])
        }
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

    /// Longer than any worker's grace and any call's deadline: whatever is not over then waits for something that is gone.
    private static let shutdownWithin: Duration = .seconds(30)
    private static let cancelledWithin: Duration = .seconds(10)

    /// Runs until SIGTERM or SIGINT; services stop in the opposite order. One that does not is cancelled after a while, and
    /// the process ends without it where that does not help.
    ///
    /// - Parameter checks: what `/readyz` asks.
    func run(_ services: [any Service], checks: [DependencyCheck]) async throws {
        let services = dials(
            checks, around: [CertificateWatch(values: values, role: name, logger: logger)] + services)
        var configuration = ServiceGroupConfiguration(
            services: services.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = Self.shutdownWithin
        configuration.maximumCancellationDuration = Self.cancelledWithin
        try await ServiceGroup(configuration: configuration).run()
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
