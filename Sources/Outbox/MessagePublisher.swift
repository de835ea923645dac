package import Kafka

/// Where messages go. `send` returns when the message is safe with whoever takes it over, else throws.
package protocol MessagePublisher: Sendable {
    func send(topic: String, key: [UInt8]?, value: [UInt8]) async throws
}

extension KafkaProducer: MessagePublisher {}
