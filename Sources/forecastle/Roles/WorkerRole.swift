import AWSClients
import ArgumentParser
import Artifacts
import Dials
import Envelope
import Jobs
import Kafka
import Logging
import ObjectStore
import Outbox
import Pipelines
import Postgres
import ServiceLifecycle

/// `forecastle worker`: runs jobs.
struct WorkerRole: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Run jobs.",
        discussion: """
            Work is spread by tasks: a large import is done by all workers that take imports, each as many tasks at once as \
            it has slots. SIGTERM lets running tasks end at their next chunk; their rest goes to the other workers.
            """)
    @OptionGroup var options: ConfigurationOptions

    @Option(help: "Kinds of jobs to take, separated by commas; worker.kinds.")
    var kinds: String?

    @Option(help: "Tasks at work at the same time; worker.slots.")
    var slots: Int?

    func run() async throws {
        var flags: [String: String] = [:]
        if let kinds { flags["worker.kinds"] = kinds }
        if let slots { flags["worker.slots"] = "\(slots)" }
        let process = try RoleProcess.begin("worker", options, flags: flags)
        // Chunks are large: without this each one would be mapped and unmapped anew.
        PassOptions.tuneAllocator()
        let values = process.values
        let logger = process.logger
        let pool = try process.pool("jobs.postgres", plannerSettings: JobsSettings.plannerSettings)
        try await process.verify(.jobs, on: pool)
        let jobs = try JobsSettings.configuration(values)
        // A pool of its own: work that takes every connection must not hold a beat up.
        let beatPool = try process.pool(
            "jobs.postgres", poolName: "beat", connections: 1, statementTimeout: jobs.lease / 2,
            plannerSettings: JobsSettings.plannerSettings)
        let producer = try KafkaProducer(configuration: try process.kafka(), logger: logger)
        let relay = try OutboxRelay(pool: pool, publisher: producer, logger: logger)
        let transport = try TLSSettings(values).transport("worker", logger: logger)
        let roles = try process.roleSessions(
            credentialsFile: "worker.credentials_file", pool: pool, transport: transport)
        let retirer = KMSGrantRetirer(roles: roles, process: process.id)
        let stores = StoreSettings(values)
        let artifacts = try stores.artifacts()
        try await stores.check(artifacts)
        let remover = ArtifactRemover(store: artifacts)
        let keeper = KeyLeaseKeeper(
            timing: .init(interval: KeyServers(values).lease), trace: try FrameTraceFile.configured(values), logger: logger)
        let environment = try PipelineEnvironment(
            roles: roles, keeper: keeper, artifacts: artifacts,
            buckets: try stores.buckets(),
            sizes: .init(
                frameBytes: values.integer("worker.frame_bytes"), chunkBytes: values.integer("worker.chunk_bytes"),
                taskBytes: values.integer("worker.task_bytes")),
            logger: logger)
        let kinds = Set(values.list("worker.kinds"))
        let handlers = PipelineHandlers.all(environment).filter { kinds.contains($0.kind.rawValue) }
        if let unknown = kinds.subtracting(handlers.map(\.kind.rawValue)).min() {
            throw ConfigurationError(key: "worker.kinds", rule: "names \(unknown), which is no kind of job")
        }
        guard !handlers.isEmpty else {
            throw ConfigurationError(key: "worker.kinds", rule: "must name at least one kind of job")
        }
        let doorbell = Doorbell()
        let control = Doorbell()
        let worker = try Worker(
            configuration: .init(
                name: process.id, slots: values.integer("worker.slots"), threads: values.integer("worker.threads")),
            jobs: jobs, pool: pool, beatPool: beatPool, handlers: handlers,
            verifier: try KeyFiles.verifier(at: try values.required("worker.verifying_key_file")), retirer: retirer,
            lister: retirer, remover: remover, doorbell: doorbell, control: control, wakeRelay: { relay.wake() },
            faults: try FaultPoints(
                configuration: values.string("faults.points"), controlFile: values.string("faults.control_file"), logger: logger),
            logger: logger)
        let sweeper = Sweeper(
            name: process.id, configuration: .init(interval: values.duration(milliseconds: "worker.sweep_ms")), jobs: jobs,
            pool: pool,
            retirer: retirer, lister: retirer, remover: remover, wakeRelay: { relay.wake() }, logger: logger)
        let topics = try handlers.map { try TopicName.jobs(prefix: jobs.topicPrefix, kind: $0.kind.rawValue).name }
        let group = try KafkaConsumerGroup(
            configuration: try process.kafka(), groupID: "\(jobs.topicPrefix)-workers-\(kinds.sorted().joined(separator: "-"))",
            topics: topics, logger: logger)
        process.watch(keeper)
        var checks: [DependencyCheck] = [
            .postgres("jobs", pool), .postgres("beat", beatPool), .kafka(producer),
            .server("authority", at: try values.required("authority.endpoint"), by: transport),
            .artifacts(artifacts, directory: values.string("artifacts.directory"), isWritten: true),
        ]
        // Buckets in an S3 are the customers': there is none to ask on one's own account.
        if !stores.isS3(.buckets) { checks.append(.buckets(directory: values.string("buckets.directory"))) }
        if KeyServers(values).areElsewhere {
            checks.append(.server("kms", at: values.string("keys.endpoint"), by: transport))
        }
        try await process.run(
            [
                pool, beatPool, producer, relay, keeper, sweeper,
                AbandonedUploads(store: artifacts, logger: logger).service,
                try ControlBell.service(process) {
                    control.ring()
                    keeper.renewNow()
                },
                Doorbells(group: group, logger: logger) { _ in doorbell.ring() }, worker,
            ], checks: checks)
    }
}

/// Removes objects of the artifact store for the engine.
struct ArtifactRemover: ObjectRemover {
    let store: any ObjectStore

    func remove(_ name: String) async throws {
        try await store.delete(try ObjectKey(name))
    }
}
