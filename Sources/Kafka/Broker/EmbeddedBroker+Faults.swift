import CLibrdkafka

/// Faults to order, for tests. Brokers count from 1; nil means all.
extension EmbeddedBroker {
    /// A request of the protocol, by its number there.
    package struct Request: Sendable {
        let key: Int16
        package static let produce = Request(key: 0)
        package static let fetch = Request(key: 1)
        package static let listOffsets = Request(key: 2)
        package static let metadata = Request(key: 3)
        package static let offsetCommit = Request(key: 8)
        package static let findCoordinator = Request(key: 10)
        package static let joinGroup = Request(key: 11)
        package static let heartbeat = Request(key: 12)
        package static let initProducerID = Request(key: 22)
    }

    /// An answer of the protocol, or a lost connection.
    package struct Answer: Sendable {
        let raw: rd_kafka_resp_err_t
        package static let disconnect = Answer(raw: RD_KAFKA_RESP_ERR__TRANSPORT)
        package static let notLeader = Answer(raw: RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION)
        package static let timedOut = Answer(raw: RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT)
        package static let tooLarge = Answer(raw: RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        package static let outOfOrderSequence = Answer(raw: RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
        package static let fencedProducer = Answer(raw: RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH)
        package static let rebalancing = Answer(raw: RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS)
        package static let notCoordinator = Answer(raw: RD_KAFKA_RESP_ERR_NOT_COORDINATOR)
        package static let clusterNotAuthorized = Answer(raw: RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)
        package static let notAuthorized = Answer(raw: RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
    }

    /// The next requests of this kind are answered so, one after the other.
    package func answer(_ request: Request, with answers: [Answer]) {
        let raw = answers.map(\.raw)
        withCluster { rd_kafka_mock_push_request_errors_array($0, request.key, raw.count, raw) }
    }

    /// Cuts all connections and takes no new ones.
    package func setDown(broker: Int? = nil) {
        withCluster { _ = rd_kafka_mock_broker_set_down($0, Int32(broker ?? -1)) }
    }

    package func setUp(broker: Int? = nil) {
        withCluster { _ = rd_kafka_mock_broker_set_up($0, Int32(broker ?? -1)) }
    }

    /// Delays every answer.
    package func setRoundTrip(_ delay: Duration, broker: Int? = nil) {
        withCluster { _ = rd_kafka_mock_broker_set_rtt($0, Int32(broker ?? -1), Int32(delay.milliseconds)) }
    }

    /// Gives the partition to that broker; nil: to none.
    package func setLeader(topic: String, partition: Int32, broker: Int?) {
        withCluster { _ = rd_kafka_mock_partition_set_leader($0, topic, partition, Int32(broker ?? -1)) }
    }

    package func setCoordinator(group: String, broker: Int) {
        withCluster { _ = rd_kafka_mock_coordinator_set($0, "group", group, Int32(broker)) }
    }
}
