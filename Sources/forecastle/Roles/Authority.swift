import AWSProtocol
import AWSServer
import Accounts
import ArgumentParser
import AuditTrail
import AuthorityAPI
import Dials
import Foundation
import Freshness
import Kafka
import Keys
import Logging
import Outbox
import Postgres
import ServiceLifecycle
import Telemetry

/// `forecastle authority`: identity, KMS, STS, IAM and CloudTrail.
struct Authority: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve KMS, STS, IAM and CloudTrail.")
    private static let upkeepInterval: Duration = .seconds(60)

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let process = try RoleProcess.begin("authority", options)
        let values = process.values
        let logger = process.logger
        let pool = try process.pool("authority.postgres")
        try await process.verify(.authority, on: pool)
        let audit = try await AuditExport.begin(process, pool: pool)
        let producer = try KafkaProducer(configuration: try process.kafka(), logger: logger)
        let announcer = KeyAnnouncer(
            topic: try TopicName.control(prefix: values.string("kafka.topic_prefix")), producer: producer, logger: logger)
        let core = try await AuthorityCore.open(
            process, pool: pool, createRootKey: false, listener: announcer,
            changeShards: values.integer("audit.change_shards"), pace: audit.pace)
        let authenticator = try await RequestAuthenticator.make(
            store: core.accounts, verifier: SigV4Verifier(region: values.string("region")))
        let handler = AuthorityHandler(
            services: [
                KMSService(keys: core.keys),
                STSService(accounts: core.accounts, pool: pool, trail: core.trail, identity: core.identity),
                IAMService(accounts: core.accounts, pool: pool, trail: core.trail, identity: core.identity),
                CloudTrailService(accounts: core.accounts, pool: pool, trail: core.trail, identity: core.identity),
                AuthorizeService(
                    authenticator: authenticator, accounts: core.accounts, keys: core.keys, pool: pool, trail: core.trail,
                    identity: core.identity, rolesAreElsewhere: KeyServers(values).areElsewhere),
                BucketAccessService(accounts: core.accounts, pool: pool, trail: core.trail, identity: core.identity),
            ],
            authenticator: authenticator, recorder: CallRecorder(trail: core.trail, identity: core.identity),
            admission: Self.admission(values, core), region: values.string("region"), board: core.board, logger: logger)
        let server = AWSServer(
            // A call computes for a fraction of a millisecond.
            configuration: .init(
                host: values.string("authority.host"), port: values.integer("authority.port"),
                tls: try TLSSettings(values).server("authority", asksForCertificates: true, logger: logger),
                answersOnEventLoop: true),
            handler: handler, logger: logger,
            onBound: { port in logger.info("authority serves", metadata: ["port": "\(port)"]) })
        // The shards of this process are known outside before there is anything in them.
        await audit.exporter?.pass()
        let changes = ChangeAnnouncer(pool: pool, board: core.board, logger: logger) { scopes in
            // Keys' events are announced with what happened to them.
            for account in scopes.compactMap(\.account) { await announcer.accountChanged(account) }
        }
        let keys = core.keys
        let upkeep = LoopService {
            while !Task.isCancelled {
                do {
                    _ = try await keys.destroyDueKeys(now: Date())
                } catch {
                    logger.error("keys that are due could not be deleted", metadata: ["error": "\(error)"])
                }
                do {
                    _ = try await keys.rotateDueKeys(now: Date())
                } catch {
                    logger.error("keys that are due could not be rotated", metadata: ["error": "\(error)"])
                }
                try await Task.sleep(for: Self.upkeepInterval)
            }
        }
        var checks: [DependencyCheck] = [
            .postgres("authority", pool), .kafka(producer),
            DependencyCheck("vault") { [security = core.security] in try security.requireOpenVault() },
        ]
        if audit.exporter != nil {
            checks.append(DependencyCheck("audit-heads") { [pace = audit.pace] in try pace.check() })
            process.registry.beforeRendering { [pace = audit.pace] in
                Measure.replace(.auditHeadAgeSeconds, [([], pace.age.inSeconds)])
            }
        }
        // Before the server in the list, so that it stops after it: the last answers are noted too.
        try await process.run(
            [pool] + audit.services + [producer, SecurityService(security: core.security), changes, upkeep, server],
            checks: checks)
    }

    /// Nil where quotas are turned off.
    private static func admission(_ values: ConfigurationValues, _ core: AuthorityCore) -> Admission? {
        let percent = values.integer("authority.quota_percent")
        guard percent > 0 else { return nil }
        return Admission(quotas: RequestQuotas(percent: percent), trail: core.trail, identity: core.identity)
    }
}

/// Has the vault take note while the authority serves, and once more at the end.
private struct SecurityService: Service {
    let security: SecurityGuard

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await security.run() }
        } catch is CancellationError {
            // The end, not a fault.
        }
        try await security.note()
    }
}

/// Tells workers that a right may be gone, so that they ask at once. A lost announcement costs time, not safety.
struct KeyAnnouncer: KeyEventListener {
    let topic: TopicName
    let producer: KafkaProducer
    let logger: Logger

    func keyChanged(_ event: KeyEvent) async {
        await announce(Announcement("key", ["kind": event.kind.rawValue, "key": event.key.description]))
    }

    /// A policy, role, trust or credential of the account may have changed.
    func accountChanged(_ account: String) async {
        await announce(Announcement("account", ["account": account]))
    }

    private func announce(_ announcement: Announcement) async {
        do {
            try await Announcements.announce(announcement, topic: topic, by: producer)
        } catch {
            logger.warning("a change was not announced", metadata: ["error": "\(error)"])
        }
    }
}
