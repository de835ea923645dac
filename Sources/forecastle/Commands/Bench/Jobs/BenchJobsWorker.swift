import ArgumentParser
import Jobs
import Kafka
import Logging
import Outbox
import Postgres
import ServiceLifecycle
import UnixSignals

/// `forecastle bench jobs-worker`: a worker process as `forecastle worker` is one, with no-op jobs for handlers.
struct BenchJobsWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs-worker", abstract: "The worker process of bench jobs.", shouldDisplay: false)

    @Option var postgres: String
    @Option(name: .customLong("broker-file")) var brokerFile: String
    @Option(name: .customLong("public-key")) var publicKey: String
    @Option var slots: Int
    @Option var name: String

    func run() async throws {
        ParentWatch.bind()
        var logger = Logger(label: "bench worker") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        let jobs = JobsConfiguration()
        let pool = try JobsCluster.pool(postgres, logger: logger)
        let beatPool = try JobsCluster.pool(postgres, connections: 1, logger: logger)
        let kafka = KafkaConfiguration.embedded(bootstrap: .file(brokerFile), clientID: name)
        let producer = try KafkaProducer(configuration: kafka, logger: logger)
        let relay = try OutboxRelay(pool: pool, publisher: producer, logger: logger)
        let handlers = [NoopHandler(kind: NoopHandler.noop), NoopHandler(kind: NoopHandler.hold)]
        let doorbell = Doorbell()
        let control = Doorbell()
        let tail = try KafkaTailReader(
            configuration: kafka, topic: try TopicName.control(prefix: jobs.topicPrefix).name, logger: logger)
        guard let key = JobsCluster.bytes(ofHex: publicKey) else { throw ValidationError("--public-key is no key.") }
        let worker = try Worker(
            configuration: .init(name: name, slots: slots, threads: 2), jobs: jobs, pool: pool, beatPool: beatPool,
            handlers: handlers, verifier: try SpecificationVerifier(publicKeys: [key]), retirer: NothingLeft(),
            lister: NothingLeft(), remover: NothingLeft(), doorbell: doorbell, control: control,
            wakeRelay: { relay.wake() }, logger: logger)
        let group = try KafkaConsumerGroup(
            configuration: kafka, groupID: "bench-workers",
            topics: try handlers.map { try TopicName.jobs(prefix: jobs.topicPrefix, kind: $0.kind.rawValue).name },
            logger: logger)
        let sweeper = Sweeper(
            name: name, jobs: jobs, pool: pool, retirer: NothingLeft(), lister: NothingLeft(), remover: NothingLeft(),
            wakeRelay: { relay.wake() }, logger: logger)
        let services: [any Service] = [
            pool, beatPool, producer, relay, sweeper,
            LoopService {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await tail.run() }
                    group.addTask { for await _ in Announcements.events(of: tail) { control.ring() } }
                    try await group.waitForAll()
                }
            },
            Doorbells(group: group, logger: logger) { _ in doorbell.ring() }, worker,
        ]
        try await ServiceGroup(
            configuration: .init(
                services: services.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) },
                gracefulShutdownSignals: [.sigterm], logger: logger)
        ).run()
    }
}
