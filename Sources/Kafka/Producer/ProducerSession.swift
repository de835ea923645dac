import CLibrdkafka
import Logging

/// One producing client: built, served and let go by the producer's thread.
final class ProducerSession: ClientSession {
    /// How long a stopping producer waits for acknowledgements.
    static let farewell = Duration.seconds(5)

    private final class Context: ClientContext, @unchecked Sendable {
        let outbound: Outbound

        init(outbound: Outbound, logger: Logger) {
            self.outbound = outbound
            super.init(logger: logger)
        }

        override func delivered(id: UInt, error: rd_kafka_resp_err_t) { outbound.delivered(id, error) }
    }

    private let handle: ClientHandle
    private let context: Context
    private let questions: BrokerQuestions
    private let isStopping: () -> Bool

    init(
        settings: [String: String], outbound: Outbound, questions: BrokerQuestions, isStopping: @escaping () -> Bool,
        logger: Logger
    ) throws(KafkaError) {
        context = Context(outbound: outbound, logger: logger)
        handle = try ClientHandle(RD_KAFKA_PRODUCER, settings: settings, context: context)
        self.questions = questions
        self.isStopping = isStopping
        outbound.attach(Outbound.Client(pointer: handle.pointer))
    }

    func step() throws(KafkaError) {
        rd_kafka_poll(handle.pointer, Int32(ClientLoop.poll.milliseconds))
        questions.put(to: handle.pointer)
        if context.isFatal || handle.hasFatalError { throw KafkaError(.fatal, "the producer failed for good") }
    }

    func close() {
        context.outbound.detach()
        if isStopping() { rd_kafka_flush(handle.pointer, Int32(Self.farewell.milliseconds)) }
        rd_kafka_purge(handle.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        // Delivers the reports of what was purged.
        rd_kafka_flush(handle.pointer, 0)
        rd_kafka_poll(handle.pointer, 0)
        context.outbound.abandonPending()
    }
}
