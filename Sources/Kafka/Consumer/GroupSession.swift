import CLibrdkafka
import Logging
import Telemetry

/// One client of a group: built, served and let go by the consumer's thread.
final class GroupSession: ClientSession {
    /// While paused nothing comes by poll, so the thread looks at the buffer more often.
    static let pollWhilePaused = Duration.milliseconds(10)
    static let lagCheck = Duration.seconds(1)

    /// `@unchecked Sendable`: beside the locked `commits`, all is touched by the polling thread alone, on which
    /// librdkafka calls back.
    private final class Context: ClientContext, @unchecked Sendable {
        let commits: Commits
        var isPaused = false

        init(commits: Commits, logger: Logger) {
            self.commits = commits
            super.init(logger: logger)
        }

        override func committed(error: rd_kafka_resp_err_t) { commits.committed(error) }

        override func rebalanced(_ client: OpaquePointer, event: rd_kafka_resp_err_t, partitions: OpaquePartitions) {
            let names = PartitionList.names(partitions)
            logger.debug("kafka group rebalances", metadata: ["partitions": "\(names.count)"])
            if event == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
                rd_kafka_assign(client, partitions)
                if isPaused { rd_kafka_pause_partitions(client, partitions) }
            } else {
                commits.forget(names)
                rd_kafka_assign(client, nil)
            }
        }
    }

    private let handle: ClientHandle
    private let context: Context
    private let buffer: MessageBuffer<KafkaMessage>
    private let topics: [String]
    private var lagChecked = ContinuousClock.now

    init(
        settings: [String: String], topics: [String], buffer: MessageBuffer<KafkaMessage>, commits: Commits, logger: Logger
    ) throws(KafkaError) {
        context = Context(commits: commits, logger: logger)
        handle = try ClientHandle(RD_KAFKA_CONSUMER, settings: settings, context: context)
        self.buffer = buffer
        self.topics = topics
        Measure.replace(.kafkaLag, topics.map { ([("topic", $0)], 0) })
        let list = PartitionList()
        for topic in topics { list.add(topic, RD_KAFKA_PARTITION_UA) }
        let result = rd_kafka_subscribe(handle.pointer, list.pointer)
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(result, "subscribing") }
        commits.attach(Commits.Client(pointer: handle.pointer))
    }

    func step() throws(KafkaError) {
        let pause = context.isPaused ? Self.pollWhilePaused : ClientLoop.poll
        switch Polled(handle.pointer, timeout: pause) {
        case .nothing: break
        case .message(let message): buffer.push(message, bytes: message.bytes)
        case .failure(let error): context.failed(error)
        }
        if context.isFatal || handle.hasFatalError { throw KafkaError(.fatal, "the consumer failed for good") }
        regulate()
        measureLag(at: .now)
    }

    /// From what the client knows anyway: nobody is asked.
    private func measureLag(at now: ContinuousClock.Instant) {
        guard now - lagChecked >= Self.lagCheck, let list = PartitionList(assignedTo: handle.pointer),
            rd_kafka_position(handle.pointer, list.pointer) == RD_KAFKA_RESP_ERR_NO_ERROR
        else { return }
        lagChecked = now
        var lag = Dictionary(topics.map { ($0, Int64(0)) }, uniquingKeysWith: { first, _ in first })
        for index in 0..<Int(list.pointer.pointee.cnt) {
            let element = list.pointer.pointee.elems[index]
            var low: Int64 = 0
            var high: Int64 = 0
            guard
                rd_kafka_get_watermark_offsets(handle.pointer, element.topic, element.partition, &low, &high)
                    == RD_KAFKA_RESP_ERR_NO_ERROR, high >= 0
            else { continue }
            // Nothing read yet: all that there is.
            lag[String(cString: element.topic), default: 0] += max(0, high - (element.offset >= 0 ? element.offset : low))
        }
        Measure.replace(.kafkaLag, lag.map { ([("topic", $0.key)], Double($0.value)) })
    }

    private func regulate() {
        if !context.isPaused, buffer.isFull {
            guard let list = PartitionList(assignedTo: handle.pointer) else { return }
            context.isPaused = rd_kafka_pause_partitions(handle.pointer, list.pointer) == RD_KAFKA_RESP_ERR_NO_ERROR
        } else if context.isPaused, buffer.isHalfEmpty {
            guard let list = PartitionList(assignedTo: handle.pointer) else { return }
            context.isPaused = rd_kafka_resume_partitions(handle.pointer, list.pointer) != RD_KAFKA_RESP_ERR_NO_ERROR
        }
    }

    func close() {
        context.commits.detach()
        // Leaves the group at once, so that the others need not wait for this session to run out.
        rd_kafka_consumer_close(handle.pointer)
    }
}
