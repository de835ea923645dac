import Dispatch
import Synchronization

/// Runs calls that block (files) away from the cooperative pool, no more than `width` at once.
///
/// Blocked threads of the cooperative pool would hold up every task of the process, beats among them. Who waits
/// here is a suspended task, so the queue is bounded by the tasks that there are.
package final class BlockingPool: Sendable {
    /// Enough to keep disks busy while some calls wait for fsync, few enough to be no burden when all do.
    package static let shared = BlockingPool(width: 16)

    private struct State {
        var running = 0
        var waiting: [@Sendable () -> Void] = []
        var head = 0
    }

    private let width: Int
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "forecastle.objectstore.blocking", attributes: .concurrent)

    package init(width: Int) {
        precondition(width > 0, "a pool has at least one thread")
        self.width = width
    }

    package func run<Answer: Sendable>(_ body: @escaping @Sendable () throws -> Answer) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            submit { continuation.resume(with: Result(catching: body)) }
        }
    }

    private func submit(_ work: @escaping @Sendable () -> Void) {
        let starts = state.withLock { state in
            guard state.running < width else {
                state.waiting.append(work)
                return false
            }
            state.running += 1
            return true
        }
        if starts { start(work) }
    }

    private func start(_ work: @escaping @Sendable () -> Void) {
        queue.async {
            var work = work
            while true {
                work()
                guard let next = self.next() else { return }
                work = next
            }
        }
    }

    private func next() -> (@Sendable () -> Void)? {
        state.withLock { state in
            guard state.head < state.waiting.count else {
                state.waiting.removeAll(keepingCapacity: true)
                state.head = 0
                state.running -= 1
                return nil
            }
            let work = state.waiting[state.head]
            state.waiting[state.head] = {}
            state.head += 1
            // Under steady load the queue is never empty: what was taken is cut off now and then.
            if state.head >= 256, state.head * 2 >= state.waiting.count {
                state.waiting.removeFirst(state.head)
                state.head = 0
            }
            return work
        }
    }
}
