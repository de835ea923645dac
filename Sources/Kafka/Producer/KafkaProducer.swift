import CLibrdkafka
package import Logging
import ServiceLifecycle
import Telemetry

/// Publishes messages, each acknowledged by all replicas, with the idempotent producer: retries inside one client write
/// nothing twice. After a fatal error, or when the broker's address changed, the client is rebuilt and what was on its
/// way is answered with a retriable error; a caller that repeats it may publish twice, never not at all.
package final class KafkaProducer: Service, Sendable {
    /// Messages on their way at once; more answer `.queueFull`.
    package static let maximumPending = 10_000
    /// The one header that messages have, and the longest value of it that is read.
    static let traceHeader = "traceparent"
    static let traceHeaderBytes = 64

    private let configuration: KafkaConfiguration
    private let logger: Logger
    private let stop = StopSignal()
    private let outbound = Outbound()
    private let questions = BrokerQuestions()

    /// Throws `.configuration`.
    package init(configuration: KafkaConfiguration, logger: Logger) throws(KafkaError) {
        try configuration.validate()
        self.configuration = configuration
        self.logger = logger
        for code in [KafkaError.Code.connection, .timedOut, .queueFull, .fatal, .broker] {
            Measure.count(.kafkaProduceErrors, [("code", "\(code)")], by: 0)
        }
    }

    /// Serves until graceful shutdown or cancellation, then gives what is on its way `ProducerSession.farewell` to
    /// arrive.
    package func run() async throws {
        defer {
            outbound.close()
            questions.close()
        }
        try await stop.runUntilStopped { () throws(KafkaError) in try self.loop() }
    }

    /// Returns when all replicas have the message. Without a key partitions are chosen at random. Before `run()` has
    /// reached a broker, it waits. Throws `KafkaError`, or `CancellationError`, after which the message may still arrive.
    ///
    /// - Parameter traceparent: the message's header of that name.
    package func send(
        topic: String, key: [UInt8]? = nil, value: [UInt8], traceparent: String? = nil
    ) async throws {
        let message = OutboundMessage(
            topic: topic, key: key, value: value, traceparent: traceparent,
            deadline: .now.advanced(by: configuration.deliveryTimeout))
        do {
            try await outbound.send(message)
        } catch let error as KafkaError {
            Measure.count(.kafkaProduceErrors, [("code", "\(error.code)")])
            throw error
        }
    }

    /// Asks a broker anything, and throws `KafkaError` where none answers within `BrokerQuestions.limit`. Whoever is cancelled
    /// waits no longer.
    package func askBrokers() async throws { try await questions.ask() }

    private func loop() throws(KafkaError) {
        let loop = ClientLoop(name: "producer", configuration: configuration, stop: stop, logger: logger)
        try loop.run { servers throws(KafkaError) in
            try ProducerSession(
                settings: configuration.producer(servers), outbound: outbound, questions: questions,
                isStopping: { [stop] in stop.isRaised }, logger: logger)
        } idle: {
            questions.answer(KafkaError(.connection, "no broker is connected"))
            outbound.expire(at: .now)
        }
    }
}
