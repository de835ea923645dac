import CLibrdkafka
import FoundationEssentials
package import Logging
import ServiceLifecycle

/// What a reader of the tail is told.
package enum KafkaTailEvent: Sendable, Hashable {
    /// It now reads from the end of every partition: whatever was published before, it may have missed.
    case positioned
    case message(KafkaMessage)
}

/// Reads all partitions of a topic from their end, for itself alone: nothing is subscribed and nothing committed, and
/// every process that does so reads everything. After it lost its brokers it is at the end again and says so, instead of
/// working through what is old by then.
package final class KafkaTailReader: Service, Sendable {
    private let configuration: KafkaConfiguration
    private let topic: String
    private let logger: Logger
    private let stop = StopSignal()
    private let buffer = MessageBuffer<KafkaTailEvent>()
    /// librdkafka assigns nothing without a group's name; this one nobody else has.
    private let groupID: String

    /// Throws `.configuration`.
    package init(configuration: KafkaConfiguration, topic: String, logger: Logger) throws(KafkaError) {
        try configuration.validate()
        self.configuration = configuration
        self.topic = topic
        self.logger = logger
        groupID = "\(configuration.clientID)-tail-\(UUID().uuidString)"
    }

    /// To be read by one task. Ends when the service does.
    package var events: AsyncStream<KafkaTailEvent> { buffer.stream }

    package func run() async throws {
        defer { buffer.finish() }
        try await stop.runUntilStopped { () throws(KafkaError) in try self.loop() }
    }

    private func loop() throws(KafkaError) {
        let loop = ClientLoop(name: "tail of \(topic)", configuration: configuration, stop: stop, logger: logger)
        try loop.run { servers throws(KafkaError) in
            try TailSession(
                settings: configuration.consumer(
                    servers, group: groupID, reset: "latest", fetchWait: configuration.tailFetchWait), topic: topic,
                buffer: buffer,
                logger: logger)
        }
    }
}
