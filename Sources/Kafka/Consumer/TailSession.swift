import CLibrdkafka
import Logging

/// One client of a tail reader: built, served and let go by the reader's thread.
final class TailSession: ClientSession {
    /// How long one look at the brokers may take; a stop waits for it.
    static let lookup = Duration.seconds(2)
    /// Partitions may be added to a topic.
    static let partitionCheck = Duration.seconds(60)

    private enum Phase {
        case seeking
        /// At the end of so many partitions, as of then.
        case reading(partitions: Int, checked: ContinuousClock.Instant)
    }

    private let handle: ClientHandle
    private let context: ClientContext
    private let topic: String
    private let buffer: MessageBuffer<KafkaTailEvent>
    private var phase = Phase.seeking

    init(
        settings: [String: String], topic: String, buffer: MessageBuffer<KafkaTailEvent>, logger: Logger
    ) throws(KafkaError) {
        context = ClientContext(logger: logger)
        handle = try ClientHandle(RD_KAFKA_CONSUMER, settings: settings, context: context)
        self.topic = topic
        self.buffer = buffer
    }

    func step() throws(KafkaError) {
        switch Polled(handle.pointer, timeout: ClientLoop.poll) {
        case .nothing: break
        case .message(let message): take(message)
        case .failure(let error): context.failed(error)
        }
        if context.isFatal || handle.hasFatalError { throw KafkaError(.fatal, "the reader failed for good") }
        if context.takeBrokersDown(), case .reading = phase {
            rd_kafka_assign(handle.pointer, nil)
            phase = .seeking
        }
        switch phase {
        case .seeking: seek()
        case .reading(let partitions, let checked) where ContinuousClock.now - checked >= Self.partitionCheck:
            if let current = partitionCount(), current != partitions { seek() }
            if case .reading(let partitions, _) = phase { phase = .reading(partitions: partitions, checked: .now) }
        case .reading: break
        }
    }

    /// Announcements only make a beat come sooner, so a reader that lags loses the newest of them; that it did, it
    /// learns when it is back.
    private func take(_ message: KafkaMessage) {
        if buffer.isFull {
            rd_kafka_assign(handle.pointer, nil)
            phase = .seeking
        } else if case .reading = phase {
            buffer.push(.message(message), bytes: message.bytes)
        }
    }

    /// Goes to the end of all partitions; stays seeking where a broker does not answer.
    private func seek() {
        if buffer.isFull { return }
        guard let partitions = partitionCount(), partitions > 0 else { return }
        let list = PartitionList()
        for partition in 0..<Int32(partitions) {
            // Asked for by number, not "end": that would be looked up some time after `positioned` was said.
            var low: Int64 = 0
            var high: Int64 = 0
            let result = rd_kafka_query_watermark_offsets(
                handle.pointer, topic, partition, &low, &high, Int32(Self.lookup.milliseconds))
            guard result == RD_KAFKA_RESP_ERR_NO_ERROR else { return context.failed(result) }
            list.add(topic, partition, offset: high)
        }
        let result = rd_kafka_assign(handle.pointer, list.pointer)
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else { return context.failed(result) }
        phase = .reading(partitions: partitions, checked: .now)
        buffer.push(.positioned, bytes: 0)
    }

    private func partitionCount() -> Int? {
        guard let handleOfTopic = rd_kafka_topic_new(handle.pointer, topic, nil) else { return nil }
        defer { rd_kafka_topic_destroy(handleOfTopic) }
        var answer: UnsafePointer<rd_kafka_metadata>?
        let result = rd_kafka_metadata(handle.pointer, 0, handleOfTopic, &answer, Int32(Self.lookup.milliseconds))
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR, let answer else {
            context.failed(result)
            return nil
        }
        defer { rd_kafka_metadata_destroy(answer) }
        guard answer.pointee.topic_cnt == 1, answer.pointee.topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        return Int(answer.pointee.topics[0].partition_cnt)
    }

    func close() { rd_kafka_consumer_close(handle.pointer) }
}
