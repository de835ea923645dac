import Kafka
import Logging
import ServiceTesting
import Synchronization
import Testing

let quiet = Logger(label: "kafka tests") { _ in SwiftLogNoOpLogHandler() }

func text(_ message: KafkaMessage) -> String { String(decoding: message.value, as: UTF8.self) }

/// The next `count` values of the stream.
func values(_ count: Int, from stream: AsyncStream<KafkaMessage>) async throws -> [KafkaMessage] {
    try await within("\(count) messages") {
        var found: [KafkaMessage] = []
        for await message in stream {
            found.append(message)
            if found.count == count { break }
        }
        return found
    }
}

/// The first `count` messages of a topic, sorted, as a group of their own reads them.
func held(_ topic: String, of broker: EmbeddedBroker, count: Int) async throws -> [String] {
    let consumer = try KafkaConsumerGroup(configuration: configuration(broker), groupID: "check", topics: [topic], logger: quiet)
    return try await with(consumer) { try await values(count, from: consumer.messages).map(text).sorted() }
}

/// The address of a broker that may be another one tomorrow.
final class MovingAddress: Sendable {
    private let current: Mutex<String>
    init(_ address: String) { current = Mutex(address) }
    func move(to address: String) { current.withLock { $0 = address } }
    var bootstrap: KafkaBootstrap { KafkaBootstrap { self.current.withLock { $0 } } }
}

func configuration(_ broker: EmbeddedBroker) -> KafkaConfiguration {
    var configuration = KafkaConfiguration.embedded(bootstrap: .servers(broker.bootstrap), clientID: "test")
    // Tests of a time-out set their own.
    configuration.deliveryTimeout = .seconds(120)
    return configuration
}

/// A logger from which a test learns that something was said.
struct SignallingLog: LogHandler {
    let said: AsyncStream<String>.Continuation
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    static func make() -> (logger: Logger, messages: AsyncStream<String>) {
        let (messages, said) = AsyncStream.makeStream(of: String.self)
        return (Logger(label: "kafka tests") { _ in SignallingLog(said: said) }, messages)
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { said.yield("\(event.message)") }
}
