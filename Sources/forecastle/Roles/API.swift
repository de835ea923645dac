import AWSClients
import AWSServer
import ArgumentParser
import Artifacts
import Dials
import ForecastAPI
import Jobs
import Kafka
import Logging
import ObjectStore
import Outbox
import Pipelines
import Postgres
import Secrets
import ServiceLifecycle

/// `forecastle api`: the Forecast and ForecastQuery APIs.
struct API: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "api", abstract: "Serve the Forecast and ForecastQuery APIs.")
    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let process = try RoleProcess.begin("api", options)
        let values = process.values
        let logger = process.logger
        let pool = try process.pool("jobs.postgres")
        try await process.verify(.jobs, on: pool)
        let jobs = try JobsSettings.configuration(values)
        let producer = try KafkaProducer(configuration: try process.kafka(), logger: logger)
        let relay = try OutboxRelay(pool: pool, publisher: producer, logger: logger)
        let tls = TLSSettings(values)
        let transport = try tls.transport("api", logger: logger)
        let roles = try process.roleSessions(credentialsFile: "api.credentials_file", pool: pool, transport: transport)
        let servers = KeyServers(values)
        let rights = try servers.callerRights(roles: roles, transport: transport)
        let readGrants = ReadGrants(
            process: process.id, pool: pool, retirer: KMSGrantRetirer(roles: roles, process: process.id), configuration: jobs,
            logger: logger)
        let keeper = KeyLeaseKeeper(timing: .init(interval: servers.lease), logger: logger)
        let artifacts = try StoreSettings(values).artifacts()
        let engine = JobsEngine(pool: pool, configuration: jobs, logger: logger, wakeRelay: { relay.wake() })
        let signingKey = try values.required("api.signing_key_file")
        let tokenSecret = try KeyFiles.secret(at: signingKey)
        defer { tokenSecret.wipe() }
        let service = ForecastService(
            configuration: try settings(values, process: process), pool: pool, engine: engine,
            signer: try KeyFiles.signer(at: signingKey),
            keys: KeyCheck(roles: roles, defaults: DefaultKeys(roles: roles), callers: rights?.map ?? CallerMap()),
            queries: ArtifactQueries(
                readGrants: readGrants, roles: roles, keeper: keeper, artifacts: artifacts, process: process.id),
            tokens: try tokenSecret.withUnsafeBytes { PageToken(secret: $0) }, isFull: { relay.isFull }, logger: logger)
        let credentials = try CredentialsFile(path: try values.required("api.credentials_file")).read()
        let authority = AuthorityClient(
            configuration: .init(
                endpoint: try values.required("authority.endpoint"), region: values.string("region"),
                credentials: StaticCredentials(credentials)),
            transport: transport)
        let server = AWSServer(
            configuration: .init(
                host: values.string("api.host"), port: values.integer("api.port"),
                // Customers have no certificates of ours.
                tls: try tls.server("api", asksForCertificates: false, logger: logger)),
            handler: ForecastHandler(
                service: service, authorizer: Authorizer(authority: authority, region: values.string("region"), rights: rights),
                logger: logger),
            logger: logger, onBound: { port in logger.info("api serves", metadata: ["port": "\(port)"]) })
        process.watch(keeper)
        var checks: [DependencyCheck] = [
            .postgres("jobs", pool), .kafka(producer),
            .server("authority", at: try values.required("authority.endpoint"), by: transport),
            .artifacts(artifacts, directory: values.string("artifacts.directory"), isWritten: false),
        ]
        if servers.areElsewhere { checks.append(.server("kms", at: values.string("keys.endpoint"), by: transport)) }
        try await process.run(
            [
                pool, producer, relay, keeper, try ControlBell.service(process) { keeper.renewNow() },
                ReadGrantsService(grants: readGrants), server,
            ], checks: checks)
    }

    private func settings(_ values: ConfigurationValues, process: RoleProcess) throws -> ForecastService.Configuration {
        let owners = try StoreSettings(values).owners()
        return ForecastService.Configuration(
            region: values.string("region"), serviceAccount: values.string("service_account"),
            requireCustomerKey: values.flag("api.require_customer_key"),
            inheritDatasetKey: values.flag("api.inherit_dataset_key"),
            bucketOwners: owners, defaultBucketOwner: values.string("buckets.default_owner"),
            bucketsAreGuarded: !KeyServers(values).areElsewhere || StoreSettings(values).areUsedAsRole, processName: process.id)
    }
}

/// Retires the process's reading grants at shutdown, after the server has answered its last request.
private struct ReadGrantsService: Service {
    let grants: ReadGrants

    func run() async throws {
        try? await gracefulShutdown()
        await grants.close()
    }
}
