import Kafka
import Logging
import ServiceLifecycle
import Synchronization
import Testing

let quiet = Logger(label: "kafka tests") { _ in SwiftLogNoOpLogHandler() }

struct Waited: Error, CustomStringConvertible {
    let description: String
}

/// Runs services beside `body` and cancels them after it.
func with<Answer: Sendable>(
    _ services: any Service..., body: @escaping @Sendable () async throws -> Answer
) async throws -> Answer {
    try await withThrowingTaskGroup(of: Answer?.self) { group in
        for service in services {
            group.addTask {
                try await service.run()
                return nil
            }
        }
        group.addTask { try await body() }
        while let answer = try await group.next() {
            if let answer {
                group.cancelAll()
                return answer
            }
        }
        throw Waited(description: "the services ended before the test did")
    }
}

/// What `body` answers, if it does so in time; else fails saying what was waited for.
func within<Answer: Sendable>(
    _ what: String, limit: Duration = .seconds(120), body: @escaping @Sendable () async throws -> Answer
) async throws -> Answer {
    try await withThrowingTaskGroup(of: Answer.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw Waited(description: "waited \(limit) for \(what)")
        }
        defer { group.cancelAll() }
        return try await group.next()!
    }
}

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
