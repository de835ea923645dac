package import Kafka
package import Logging
import ServiceLifecycle
import Synchronization
import Telemetry

/// Hears the doorbells of job kinds. Whatever a message holds (garbage, nothing, a job that was never accepted), it only
/// makes somebody look into the database; its offset is committed once it rang, in its own time, so that a broker which is
/// slow to commit holds up no ring.
package final class Doorbells: Service, Sendable {
    private let group: KafkaConsumerGroup
    private let ring: @Sendable (_ topic: String) -> Void
    private let logger: Logger
    /// The newest message heard of each partition that is not committed yet.
    private let heard = Mutex<[Partition: KafkaMessage]>([:])

    private struct Partition: Hashable {
        let topic: String
        let number: Int32
    }

    /// `ring` must not wait.
    package init(group: KafkaConsumerGroup, logger: Logger, ring: @escaping @Sendable (_ topic: String) -> Void) {
        self.group = group
        self.ring = ring
        self.logger = logger
    }

    /// Runs the consumer group too; ends with it.
    package func run() async throws {
        let (changes, changed) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { [group] in try await group.run() }
            tasks.addTask { await self.commit(changes) }
            for await message in group.messages {
                ring(message.topic)
                note(message)
                heard.withLock { $0[Partition(topic: message.topic, number: message.partition)] = message }
                changed.yield()
            }
            changed.finish()
            try await tasks.waitForAll()
        }
    }

    /// Whoever wrote the header: it stands in a line of the log and goes no further. Whether the trace is sampled is not taken
    /// from here either, so that nobody who can write to the topic can fill a log.
    private func note(_ message: KafkaMessage) {
        guard let trace = message.traceparent.flatMap({ TraceContext($0) }) else { return }
        logger.debug(
            "a doorbell rang", metadata: [LogField.topic: "\(message.topic)", LogField.traceID: "\(trace.traceID)"])
    }

    private func commit(_ changes: AsyncStream<Void>) async {
        for await _ in changes {
            let messages = heard.withLock { heard in
                defer { heard = [:] }
                return heard.values.map { $0 }
            }
            for message in messages {
                do {
                    try await group.commit(message)
                } catch {
                    // It rings once more at whoever reads the partition next: harmless.
                    logger.debug("doorbell not committed", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}
