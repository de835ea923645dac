import CLibrdkafka
package import Logging
import Synchronization

/// The development broker: librdkafka's mock cluster, which speaks the real protocol on loopback to any process.
///
/// **In memory**: log, offsets and address are gone when it stops, and of a partition no more than 5 MiB or 100,000
/// message sets are kept. Nothing may rest on it; Postgres and the sweeper make that harmless.
package final class EmbeddedBroker: Sendable {
    /// The cluster's functions are thread-safe by librdkafka's word; the lock keeps them from one that is gone.
    private struct Cluster: @unchecked Sendable {
        let handle: ClientHandle
        let pointer: OpaquePointer
    }

    private let cluster: Mutex<Cluster?>
    /// `127.0.0.1:port`, several with commas.
    package let bootstrap: String

    /// `topics`: made at once with so many partitions. Any other comes into being with four when it is first used.
    package init(brokers: Int = 1, topics: [String: Int] = [:], logger: Logger) throws(KafkaError) {
        precondition(brokers > 0, "a cluster has a broker")
        let handle = try ClientHandle(
            RD_KAFKA_PRODUCER, settings: ["client.id": "embedded-broker"], context: ClientContext(logger: logger))
        guard let pointer = rd_kafka_mock_cluster_new(handle.pointer, Int32(brokers)),
            let servers = rd_kafka_mock_cluster_bootstraps(pointer)
        else { throw KafkaError(.configuration, "the embedded broker cannot listen") }
        bootstrap = String(cString: servers)
        for (topic, partitions) in topics {
            let result = rd_kafka_mock_topic_create(pointer, topic, Int32(partitions), 1)
            guard result == RD_KAFKA_RESP_ERR_NO_ERROR else {
                rd_kafka_mock_cluster_destroy(pointer)
                throw KafkaError(result, "making a topic of the embedded broker")
            }
        }
        cluster = Mutex(Cluster(handle: handle, pointer: pointer))
    }

    deinit { stop() }

    /// Closes all connections and forgets everything. Harmless when repeated.
    package func stop() {
        cluster.withLock { cluster in
            guard let running = cluster else { return }
            rd_kafka_mock_cluster_destroy(running.pointer)
            cluster = nil
        }
    }

    func withCluster(_ body: (OpaquePointer) -> Void) {
        cluster.withLock { cluster in
            if let cluster { body(cluster.pointer) }
        }
    }
}
