import Kafka
import Logging
import Outbox
import Postgres
import ServiceTesting
import Synchronization

let quiet = Logger(label: "outbox tests") { _ in SwiftLogNoOpLogHandler() }

/// A publisher that remembers what it was sent, answers as told, and says so.
final class TestPublisher: MessagePublisher {
    enum Answer: Sendable {
        case acknowledge
        case fail(KafkaError)
        /// Never answers by itself.
        case hang
    }

    struct Sent: Sendable, Hashable {
        let topic: String
        let key: [UInt8]?
        let value: [UInt8]
    }

    private struct State {
        var answers: [Answer] = []
        var standing = Answer.acknowledge
        var refused: [[UInt8]: KafkaError] = [:]
        var sent: [Sent] = []
        var traces: [String?] = []
    }

    private let state = Mutex(State())
    private let changes = AsyncStream.makeStream(of: Void.self)

    var sent: [Sent] { state.withLock { $0.sent } }
    /// The place in a trace that each was sent with.
    var traces: [String?] { state.withLock { $0.traces } }

    /// The next sends are answered so, those after them by `standing`.
    func answer(_ answers: [Answer] = [], standing: Answer = .acknowledge) {
        state.withLock { ($0.answers, $0.standing) = (answers, standing) }
    }

    /// Whatever the others are answered, this message is refused each time.
    func refuse(_ value: [UInt8], with error: KafkaError) {
        state.withLock { $0.refused[value] = error }
    }

    func send(topic: String, key: [UInt8]?, value: [UInt8], traceparent: String?) async throws {
        state.withLock { $0.traces.append(traceparent) }
        try await send(topic: topic, key: key, value: value)
    }

    func send(topic: String, key: [UInt8]?, value: [UInt8]) async throws {
        let answer = state.withLock { state -> Answer in
            state.sent.append(Sent(topic: topic, key: key, value: value))
            if let error = state.refused[value] { return Answer.fail(error) }
            return state.answers.isEmpty ? state.standing : state.answers.removeFirst()
        }
        changes.continuation.yield()
        switch answer {
        case .acknowledge: return
        case .fail(let error): throw error
        case .hang: try await Task.sleep(for: .seconds(3600))
        }
    }

    /// Waits until so many messages were sent.
    func waitForSent(_ count: Int, limit: Duration = .seconds(120)) async throws {
        try await within("\(count) messages") { for await _ in self.changes.stream where self.sent.count >= count { return } }
    }
}

/// How many rows the outbox holds.
func rowCount(_ pool: PostgresPool) async throws -> Int {
    try await pool.query("SELECT count(*) AS rows FROM outbox")[0].get("rows")
}

/// Waits until the outbox is empty.
func waitUntilEmpty(_ pool: PostgresPool) async throws {
    try await within("an empty outbox") {
        while try await rowCount(pool) > 0 { try await Task.sleep(for: .milliseconds(5)) }
    }
}

func append(_ text: String, topic: String = "t", on pool: PostgresPool) async throws {
    try await pool.transaction { try await Outbox.append(topic: topic, key: [7], payload: Array(text.utf8), on: $0) }
}
