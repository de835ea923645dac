import CLibrdkafka

/// Any failure of a Kafka client. `description` holds librdkafka's own name of the error and what was being done, no
/// content of messages.
package struct KafkaError: Error, Sendable, CustomStringConvertible {
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Base: String {
            case connection, timedOut, queueFull, messageTooLarge, denied, fatal, closed, group, configuration, broker
        }
        private let base: Base
        private init(_ base: Base) { self.base = base }

        /// No broker answers, or the address of one is not known yet.
        package static let connection = Code(.connection)
        /// No acknowledgement in time. The message may have been written all the same.
        package static let timedOut = Code(.timedOut)
        package static let queueFull = Code(.queueFull)
        package static let messageTooLarge = Code(.messageTooLarge)
        package static let denied = Code(.denied)
        /// The client ended and is being rebuilt. The message may have been written all the same.
        package static let fatal = Code(.fatal)
        /// The client was stopped.
        package static let closed = Code(.closed)
        /// The group is being rebalanced, or the partition went to another member.
        package static let group = Code(.group)
        package static let configuration = Code(.configuration)
        /// Any other answer of a broker.
        package static let broker = Code(.broker)

        package var description: String { base.rawValue }
    }

    package let code: Code
    /// Safe to show.
    package let message: String
    /// librdkafka's number (negative: of the client, positive: of the protocol), where there is one.
    package let rawCode: Int32?

    package init(_ code: Code, _ message: String, rawCode: Int32? = nil) {
        self.code = code
        self.message = message
        self.rawCode = rawCode
    }

    /// Whether the client that met this had to be rebuilt.
    package var isFatal: Bool { code == .fatal }

    /// Whether the same call may succeed later. After `.timedOut` and `.fatal` it may write a message twice.
    package var isRetriable: Bool {
        switch code {
        case .connection, .timedOut, .queueFull, .fatal, .group: true
        case .broker: rawCode.map(Self.passingAnswers.contains) ?? false
        default: false
        }
    }

    package var description: String { "kafka \(code): \(message)" }
}

extension KafkaError {
    init(_ raw: rd_kafka_resp_err_t, _ doing: String) {
        self.init(Self.code(of: raw), "\(doing): \(String(cString: rd_kafka_err2name(raw)))", rawCode: raw.rawValue)
    }

    private static func code(of raw: rd_kafka_resp_err_t) -> Code {
        switch raw {
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__RESOLVE,
            RD_KAFKA_RESP_ERR__WAIT_COORD, RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
            .connection
        case RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE,
            RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
            .timedOut
        case RD_KAFKA_RESP_ERR__QUEUE_FULL: .queueFull
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE: .messageTooLarge
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR__AUTHENTICATION,
            RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
            .denied
        case RD_KAFKA_RESP_ERR__FATAL, RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
            RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID,
            RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
            .fatal
        case RD_KAFKA_RESP_ERR__DESTROY: .closed
        case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
            RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
            RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
            RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, RD_KAFKA_RESP_ERR__NO_OFFSET, RD_KAFKA_RESP_ERR__STATE:
            .group
        default: .broker
        }
    }

    /// Answers of a broker that pass: elections, replicas that lag, a topic that is just being made.
    private static let passingAnswers: Set<Int32> = Set(
        [
            RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
            RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
            RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
            RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED,
        ].map(\.rawValue))
}
