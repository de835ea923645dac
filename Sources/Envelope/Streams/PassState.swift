import Glibc
import Synchronization

/// What the threads of one pass share: whose turn it is, and the first thing that went wrong.
///
/// Batches are numbered as they are read. A thread that holds the lowest number never waits, so the pass cannot stall;
/// no thread reads ahead while it waits, so memory is bounded by the threads' own buffers.
final class PassState: @unchecked Sendable {
    /// What is done batch after batch. Steps overlap: one batch may be written while the next is digested.
    enum Step: Int, CaseIterable { case digest, write }

    // Sendable: everything below is touched with `mutex` held only; the condition and mutex do not move.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let turn: UnsafeMutablePointer<pthread_cond_t>
    private var next = Step.allCases.map { _ in 0 }
    private var failure: (any Error)?
    private let failed = Atomic<Bool>(false)

    init() {
        mutex = .allocate(capacity: 1)
        turn = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(turn, nil)
    }

    deinit {
        pthread_cond_destroy(turn)
        pthread_mutex_destroy(mutex)
        turn.deallocate()
        mutex.deallocate()
    }

    struct GivenUp: Error {}

    /// Throws when another thread failed or the task was cancelled.
    func check() throws {
        if failed.load(ordering: .acquiring) { throw GivenUp() }
    }

    /// Ends the pass. The first error is the one that is reported.
    func fail(_ error: any Error) {
        pthread_mutex_lock(mutex)
        if failure == nil && !(error is GivenUp) { failure = error }
        failed.store(true, ordering: .releasing)
        pthread_cond_broadcast(turn)
        pthread_mutex_unlock(mutex)
    }

    /// Runs `body` when all batches below `batch` have passed this step.
    func inTurn(_ step: Step, _ batch: Int, _ body: () throws -> Void) throws {
        pthread_mutex_lock(mutex)
        while next[step.rawValue] != batch && !failed.load(ordering: .acquiring) { pthread_cond_wait(turn, mutex) }
        pthread_mutex_unlock(mutex)
        try check()
        try body()
        pthread_mutex_lock(mutex)
        next[step.rawValue] = batch + 1
        pthread_cond_broadcast(turn)
        pthread_mutex_unlock(mutex)
    }

    func finish() throws {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if let failure { throw failure }
    }

    /// Runs `body` on threads until each returns; rethrows the first error. Cancelling the task ends the pass.
    static func run(threads: Int, _ body: @escaping @Sendable (PassState) throws -> Void) async throws {
        let state = PassState()
        await withTaskCancellationHandler {
            await ThreadTeam.run(threads) {
                do { try body(state) } catch { state.fail(error) }
            }
        } onCancel: {
            state.fail(CancellationError())
        }
        try state.finish()
    }

    /// Runs `body` on one thread of its own and answers what it does.
    static func run<Value: Sendable>(_ body: @escaping @Sendable (PassState) throws -> Value) async throws -> Value {
        let answer = Answer<Value>()
        try await run(threads: 1) { state in
            let value = try body(state)
            answer.value.withLock { $0 = value }
        }
        guard let value = answer.value.withLock({ $0 }) else { throw CancellationError() }
        return value
    }

    private final class Answer<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
    }
}
