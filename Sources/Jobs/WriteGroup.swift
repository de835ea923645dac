import Synchronization

/// Folds what many tasks write at the same time into few transactions: whatever is asked while one is under way goes with
/// the next. The load makes the batches; a lone request waits for nobody.
///
/// The transactions run in `run()`, apart from whoever asks: a task that is cancelled in between does not take the others'
/// writes down with it.
final class WriteGroup<Request: Sendable, Answer: Sendable>: Sendable {
    typealias Outcome = Result<Answer, any Error>

    private struct State {
        var waiting: [(request: Request, continuation: CheckedContinuation<Answer, any Error>)] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let bell = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    private let batchMax: Int
    private let carry: @Sendable ([Request]) async -> [Outcome]

    /// - Parameter carry: answers each request by itself, in their order: one that fails must not fail the others.
    init(batchMax: Int, carry: @escaping @Sendable ([Request]) async -> [Outcome]) {
        precondition(batchMax > 0, "A batch holds at least one request.")
        self.batchMax = batchMax
        self.carry = carry
    }

    /// Waits until the batch with this request is through. Not cancelled: its answer says what holds.
    func submit(_ request: Request) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            let isOpen = state.withLock { state in
                guard !state.isClosed else { return false }
                state.waiting.append((request, continuation))
                return true
            }
            guard isOpen else { return continuation.resume(throwing: JobError.retriable("The worker has ended.")) }
            bell.continuation.yield()
        }
    }

    /// Carries batches until `close()` or cancellation, and what waits then.
    func run() async {
        for await _ in bell.stream { await carryAll() }
        // Also where the worker was cancelled: whoever waits hears of it.
        close()
        await carryAll()
    }

    func close() {
        state.withLock { $0.isClosed = true }
        bell.continuation.finish()
    }

    private func carryAll() async {
        while true {
            let batch = state.withLock { state in
                let batch = Array(state.waiting.prefix(batchMax))
                state.waiting.removeFirst(batch.count)
                return batch
            }
            if batch.isEmpty { return }
            let outcomes = await carry(batch.map(\.request))
            precondition(outcomes.count == batch.count, "Each request of a batch has its answer.")
            for (waiting, outcome) in zip(batch, outcomes) { waiting.continuation.resume(with: outcome) }
        }
    }
}
