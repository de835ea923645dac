import Jobs
import Kafka
import Outbox

/// The engine's settings, the same in every process.
enum JobsSettings {
    static func configuration(_ values: ConfigurationValues) throws -> JobsConfiguration {
        let lease = values.duration(milliseconds: "worker.lease_ms")
        let configuration = JobsConfiguration(
            topicPrefix: values.string("kafka.topic_prefix"), lease: lease,
            beat: values.duration(milliseconds: "worker.beat_ms"), trustMargin: lease / 10,
            lossesMax: values.integer("worker.attempts_max"), retryPeriod: values.duration(seconds: "worker.retry_s"),
            grantPeriod: values.duration(seconds: "worker.retire_deadline_s"))
        try configuration.validate()
        return configuration
    }
}

/// Listens to the control topic and rings.
enum ControlBell {
    static func service(_ process: RoleProcess, ring: @escaping @Sendable () -> Void) throws -> LoopService {
        let topic = try TopicName.control(prefix: process.values.string("kafka.topic_prefix"))
        let tail = try KafkaTailReader(configuration: try process.kafka(), topic: topic.name, logger: process.logger)
        return LoopService {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await tail.run() }
                group.addTask { for await _ in Announcements.events(of: tail) { ring() } }
                try await group.waitForAll()
            }
        }
    }
}
