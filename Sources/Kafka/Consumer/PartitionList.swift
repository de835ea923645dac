import CLibrdkafka

/// Owns a list of partitions of librdkafka.
final class PartitionList {
    let pointer: OpaquePartitions

    init() { pointer = rd_kafka_topic_partition_list_new(8) }

    /// The partitions that the client reads now.
    init?(assignedTo client: OpaquePointer) {
        var list: OpaquePartitions?
        guard rd_kafka_assignment(client, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else { return nil }
        pointer = list
    }

    deinit { rd_kafka_topic_partition_list_destroy(pointer) }

    func add(_ topic: String, _ partition: Int32, offset: Int64 = Int64(RD_KAFKA_OFFSET_INVALID)) {
        rd_kafka_topic_partition_list_add(pointer, topic, partition).pointee.offset = offset
    }

    static func names(_ list: OpaquePartitions) -> [(topic: String, number: Int32)] {
        (0..<Int(list.pointee.cnt)).map { index in
            let element = list.pointee.elems[index]
            return (String(cString: element.topic), element.partition)
        }
    }
}

/// One poll of a consumer: what came, copied out.
enum Polled {
    case nothing
    case message(KafkaMessage)
    case failure(rd_kafka_resp_err_t)

    init(_ client: OpaquePointer, timeout: Duration) {
        guard let raw = rd_kafka_consumer_poll(client, Int32(timeout.milliseconds)) else {
            self = .nothing
            return
        }
        defer { rd_kafka_message_destroy(raw) }
        let message = raw.pointee
        guard message.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
            self = .failure(message.err)
            return
        }
        func bytes(_ start: UnsafeMutableRawPointer?, _ count: Int) -> [UInt8]? {
            start.map { [UInt8](UnsafeRawBufferPointer(start: $0, count: count)) }
        }
        self = .message(
            KafkaMessage(
                topic: String(cString: rd_kafka_topic_name(message.rkt)), partition: message.partition,
                offset: message.offset, key: bytes(message.key, message.key_len),
                value: bytes(message.payload, message.len) ?? [], traceparent: Self.traceparent(of: raw)))
    }

    private static func traceparent(of message: UnsafePointer<rd_kafka_message_t>) -> String? {
        var headers: OpaquePointer?
        guard rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR, let headers else { return nil }
        var start: UnsafeRawPointer?
        var count = 0
        let result = rd_kafka_header_get_last(headers, KafkaProducer.traceHeader, &start, &count)
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR, let start, count <= KafkaProducer.traceHeaderBytes else { return nil }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }
}
