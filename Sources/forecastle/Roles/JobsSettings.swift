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
            retry: RetryPolicy(
                first: values.duration(milliseconds: "worker.retry_first_ms"),
                cap: values.duration(milliseconds: "worker.retry_cap_ms")),
            retryOfKinds: try retries(values),
            accountTasksMax: values.integer("jobs.account_tasks_max") == 0 ? nil : values.integer("jobs.account_tasks_max"),
            grantPeriod: values.duration(seconds: "worker.retire_deadline_s"),
            historyAfter: values.duration(seconds: "jobs.history_after_s"),
            retentionDays: values.integer("jobs.retention_days"))
        try configuration.validate()
        return configuration
    }

    /// Statements of the engine look up a few rows by their keys. A plan that was made while a table was small, and is kept
    /// by a session while the table grows, must not read it whole; and compiling one costs a hundred times its execution.
    static let plannerSettings = [
        "enable_seqscan=off", "enable_bitmapscan=off", "enable_hashjoin=off", "enable_mergejoin=off", "jit=off",
    ]

    /// `KIND=FIRST_MS:CAP_MS:PERIOD_S`
    private static func retries(_ values: ConfigurationValues) throws -> [JobKind: RetryPolicy] {
        let key = "worker.retry_kinds"
        var policies: [JobKind: RetryPolicy] = [:]
        for entry in values.list(key) {
            let sides = entry.split(separator: "=", omittingEmptySubsequences: false)
            let numbers = sides.last.map { $0.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) } } ?? []
            guard sides.count == 2, !sides[0].isEmpty, numbers.count == 3, let first = numbers[0], let cap = numbers[1],
                let period = numbers[2], first > 0, cap >= first, (0...86_400).contains(period)
            else { throw ConfigurationError(key: key, rule: "takes KIND=FIRST_MS:CAP_MS:PERIOD_S, separated by commas") }
            policies[JobKind(rawValue: String(sides[0]))] = RetryPolicy(
                first: .milliseconds(first), cap: .milliseconds(cap), period: .seconds(period))
        }
        return policies
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
