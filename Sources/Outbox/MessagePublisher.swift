package import Kafka

/// Where messages go. `send` returns when the message is safe with whoever takes it over, else throws.
package protocol MessagePublisher: Sendable {
    func send(topic: String, key: [UInt8]?, value: [UInt8]) async throws
    /// With the place in a trace that it comes from, where the publisher has room for it.
    func send(topic: String, key: [UInt8]?, value: [UInt8], traceparent: String?) async throws
}

extension MessagePublisher {
    package func send(topic: String, key: [UInt8]?, value: [UInt8], traceparent: String?) async throws {
        try await send(topic: topic, key: key, value: value)
    }
}

extension KafkaProducer: MessagePublisher {
    package func send(topic: String, key: [UInt8]?, value: [UInt8]) async throws {
        try await send(topic: topic, key: key, value: value, traceparent: nil)
    }
}
