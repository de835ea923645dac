import CLibrdkafka
package import Logging
import ServiceLifecycle

/// Publishes messages, each acknowledged by all replicas, with the idempotent producer: retries inside one client write
/// nothing twice. After a fatal error, or when the broker's address changed, the client is rebuilt and what was on its
/// way is answered with a retriable error; a caller that repeats it may publish twice, never not at all.
package final class KafkaProducer: Service, Sendable {
    /// Messages on their way at once; more answer `.queueFull`.
    package static let maximumPending = 10_000

    private let configuration: KafkaConfiguration
    private let logger: Logger
    private let stop = StopSignal()
    private let outbound = Outbound()

    /// Throws `.configuration`.
    package init(configuration: KafkaConfiguration, logger: Logger) throws(KafkaError) {
        try configuration.validate()
        self.configuration = configuration
        self.logger = logger
    }

    /// Serves until graceful shutdown or cancellation, then gives what is on its way `ProducerSession.farewell` to
    /// arrive.
    package func run() async throws {
        defer { outbound.close() }
        try await stop.runUntilStopped { () throws(KafkaError) in try self.loop() }
    }

    /// Returns when all replicas have the message. Without a key partitions are chosen at random. Before `run()` has
    /// reached a broker, it waits. Throws `KafkaError`, or `CancellationError`, after which the message may still arrive.
    package func send(topic: String, key: [UInt8]? = nil, value: [UInt8]) async throws {
        let message = OutboundMessage(
            topic: topic, key: key, value: value, deadline: .now.advanced(by: configuration.deliveryTimeout))
        try await outbound.send(message)
    }

    private func loop() throws(KafkaError) {
        let loop = ClientLoop(name: "producer", configuration: configuration, stop: stop, logger: logger)
        try loop.run { servers throws(KafkaError) in
            try ProducerSession(
                settings: configuration.producer(servers), outbound: outbound, isStopping: { [stop] in stop.isRaised },
                logger: logger)
        } idle: {
            outbound.expire(at: .now)
        }
    }
}
