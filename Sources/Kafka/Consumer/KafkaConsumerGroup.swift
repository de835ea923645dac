import CLibrdkafka
package import Logging
import ServiceLifecycle

/// Reads topics together with the other members of a group. Offsets are committed only by `commit`; what was read and
/// not committed is read again, by somebody, after a rebalance or a restart.
///
/// A thread of its own polls, whatever the reader does: long work on a message costs no membership. When the reader
/// lags, fetching is paused (`MessageBuffer`). The client is rebuilt after a fatal error and when the broker's address
/// changed; then, and when its offsets are gone, it begins at the oldest message there is.
package final class KafkaConsumerGroup: Service, Sendable {
    private let configuration: KafkaConfiguration
    private let groupID: String
    private let topics: [String]
    private let logger: Logger
    private let stop = StopSignal()
    private let buffer = MessageBuffer<KafkaMessage>()
    private let commits = Commits()

    /// Throws `.configuration`.
    package init(
        configuration: KafkaConfiguration, groupID: String, topics: [String], logger: Logger
    ) throws(KafkaError) {
        try configuration.validate()
        guard !groupID.isEmpty, !topics.isEmpty else { throw KafkaError(.configuration, "a group has a name and topics") }
        self.configuration = configuration
        self.groupID = groupID
        self.topics = topics
        self.logger = logger
    }

    /// To be read by one task. Ends when the service does.
    package var messages: AsyncStream<KafkaMessage> { buffer.stream }

    /// Marks this message, and what came before it in its partition, as read; returns when the group has it. Throws
    /// `KafkaError`, mostly `.group` when the partition went to another member, who may then read it again.
    package func commit(_ message: KafkaMessage) async throws { try await commits.commit(message) }

    /// Serves until graceful shutdown or cancellation, then leaves the group.
    package func run() async throws {
        defer { buffer.finish() }
        try await stop.runUntilStopped { () throws(KafkaError) in try self.loop() }
    }

    private func loop() throws(KafkaError) {
        let loop = ClientLoop(name: "group \(groupID)", configuration: configuration, stop: stop, logger: logger)
        try loop.run { servers throws(KafkaError) in
            try GroupSession(
                settings: configuration.consumer(servers, group: groupID, reset: "earliest", fetchWait: configuration.fetchWait),
                topics: topics,
                buffer: buffer, commits: commits, logger: logger)
        }
    }
}
