import AWSProtocol
import AWSServer
import Accounts
import ArgumentParser
import AuthorityAPI
import Foundation
import Freshness
import Kafka
import Keys
import Logging
import Outbox
import Postgres
import ServiceLifecycle

/// `forecastle authority`: identity, KMS, STS and CloudTrail.
struct Authority: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve KMS, STS and CloudTrail.")
    private static let deletionInterval: Duration = .seconds(60)

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let process = try RoleProcess.begin("authority", options)
        let values = process.values
        let logger = process.logger
        let pool = try process.pool("authority.postgres")
        try await process.verify(.authority, on: pool)
        let producer = try KafkaProducer(configuration: try process.kafka(), logger: logger)
        let announcer = KeyAnnouncer(
            topic: try TopicName.control(prefix: values.string("kafka.topic_prefix")), producer: producer, logger: logger)
        let core = try await AuthorityCore.open(process, pool: pool, createRootKey: false, listener: announcer)
        let authenticator = try await RequestAuthenticator.make(
            store: core.accounts, verifier: SigV4Verifier(region: values.string("region")))
        let handler = AuthorityHandler(
            services: [
                KMSService(keys: core.keys),
                STSService(accounts: core.accounts, pool: pool, trail: core.trail, identity: core.identity),
                CloudTrailService(accounts: core.accounts, pool: pool, trail: core.trail, identity: core.identity),
                AuthorizeService(
                    authenticator: authenticator, accounts: core.accounts, keys: core.keys, pool: pool, trail: core.trail,
                    identity: core.identity),
            ],
            authenticator: authenticator, region: values.string("region"), board: core.board, logger: logger)
        let server = AWSServer(
            // A call computes for a fraction of a millisecond.
            configuration: .init(
                host: values.string("authority.host"), port: values.integer("authority.port"), answersOnEventLoop: true),
            handler: handler, logger: logger,
            onBound: { port in logger.info("authority serves", metadata: ["port": "\(port)"]) })
        let changes = ChangeAnnouncer(pool: pool, board: core.board, logger: logger) { scopes in
            // Keys' events are announced with what happened to them.
            for account in scopes.compactMap(\.account) { await announcer.accountChanged(account) }
        }
        let keys = core.keys
        let deletions = LoopService {
            while !Task.isCancelled {
                do {
                    _ = try await keys.destroyDueKeys(now: Date())
                } catch {
                    logger.error("keys that are due could not be deleted", metadata: ["error": "\(error)"])
                }
                try await Task.sleep(for: Self.deletionInterval)
            }
        }
        try await process.run([pool, producer, changes, deletions, server])
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
