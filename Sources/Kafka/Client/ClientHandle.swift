import CLibrdkafka

/// Owns one librdkafka client and what its callbacks reach.
///
/// Not sendable: made, used and let go by the thread that polls. What other threads may do with `pointer` (produce,
/// commit: thread-safe in librdkafka), they do under a lock that the owner takes before it lets go.
final class ClientHandle {
    let pointer: OpaquePointer
    private let context: Unmanaged<ClientContext>

    /// Throws `.configuration` naming the setting that librdkafka refuses.
    init(_ kind: rd_kafka_type_t, settings: [String: String], context: ClientContext) throws(KafkaError) {
        guard let configuration = rd_kafka_conf_new() else { throw KafkaError(.configuration, "no memory") }
        for (name, value) in settings.sorted(by: { $0.key < $1.key }) {
            guard rd_kafka_conf_set(configuration, name, value, nil, 0) == RD_KAFKA_CONF_OK else {
                rd_kafka_conf_destroy(configuration)
                // Without librdkafka's own words: they repeat the value, which may be a password.
                throw KafkaError(.configuration, "librdkafka refuses the value of \(name)")
            }
        }
        let retained = Unmanaged.passRetained(context)
        rd_kafka_conf_set_opaque(configuration, retained.toOpaque())
        rd_kafka_conf_set_log_cb(configuration, onLog)
        rd_kafka_conf_set_error_cb(configuration, onError)
        if kind == RD_KAFKA_PRODUCER {
            rd_kafka_conf_set_dr_msg_cb(configuration, onDelivery)
        } else {
            rd_kafka_conf_set_offset_commit_cb(configuration, onCommit)
            rd_kafka_conf_set_rebalance_cb(configuration, onRebalance)
        }
        // On success the client takes the configuration over; on failure it stays ours to free.
        var text = [CChar](repeating: 0, count: 512)
        guard let client = rd_kafka_new(kind, configuration, &text, text.count) else {
            rd_kafka_conf_destroy(configuration)
            retained.release()
            throw KafkaError(.configuration, "librdkafka makes no client of these settings")
        }
        // Everything that a consumer is called back for comes by its own poll.
        if kind == RD_KAFKA_CONSUMER { rd_kafka_poll_set_consumer(client) }
        pointer = client
        self.context = retained
    }

    deinit {
        // Consumers are closed before by their owner; closing here could wait for the group without bound.
        rd_kafka_destroy_flags(pointer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
        context.release()
    }

    /// Whether only a new client helps.
    var hasFatalError: Bool { rd_kafka_fatal_error(pointer, nil, 0) != RD_KAFKA_RESP_ERR_NO_ERROR }
}
