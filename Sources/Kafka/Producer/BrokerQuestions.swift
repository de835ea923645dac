import CLibrdkafka
import Synchronization

/// Who wants to know whether a broker answers. The producer's thread asks for all of them at once, between two polls.
final class BrokerQuestions: Sendable {
    /// How long the thread waits for an answer; delivery reports wait with it, which do not come then either.
    static let limit = Duration.milliseconds(500)

    private typealias Asker = CheckedContinuation<Void, any Error>

    private struct State {
        var askers: [UInt: Asker] = [:]
        var nextID: UInt = 1
        var isClosed = false
    }

    private let state = Mutex(State())

    func ask() async throws {
        let id = state.withLock { state in
            defer { state.nextID += 1 }
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (asker: Asker) in
                let isClosed = state.withLock { state in
                    if !state.isClosed { state.askers[id] = asker }
                    return state.isClosed
                }
                if isClosed { asker.resume(throwing: KafkaError(.closed, "the producer was stopped")) }
                // Cancelled before the handler could find it.
                if Task.isCancelled { withdraw(id) }
            }
        } onCancel: {
            withdraw(id)
        }
    }

    private func withdraw(_ id: UInt) {
        state.withLock { $0.askers.removeValue(forKey: id) }?.resume(throwing: CancellationError())
    }

    /// Puts the question where somebody asks. On the thread of the client.
    func put(to client: OpaquePointer) {
        guard state.withLock({ !$0.askers.isEmpty }) else { return }
        var answer: UnsafePointer<rd_kafka_metadata>?
        let result = rd_kafka_metadata(client, 0, nil, &answer, Int32(Self.limit.milliseconds))
        if let answer { rd_kafka_metadata_destroy(answer) }
        self.answer(result == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaError(result, "asking a broker"))
    }

    func answer(_ failure: KafkaError?) {
        let askers = state.withLock { state in
            defer { state.askers = [:] }
            return state.askers.values
        }
        for asker in askers {
            if let failure { asker.resume(throwing: failure) } else { asker.resume() }
        }
    }

    func close() {
        state.withLock { $0.isClosed = true }
        answer(KafkaError(.closed, "the producer was stopped"))
    }
}
