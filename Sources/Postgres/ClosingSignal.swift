import Synchronization

/// Tells threads that outlive no pool to stop. Each registers once; after `close` they are stopped at once.
final class ClosingSignal: Sendable {
    private struct State {
        var threads: [ObjectIdentifier: ConnectionThread] = [:]
        var isClosed = false
    }
    private let state = Mutex(State())

    func add(_ thread: ConnectionThread) {
        let isClosed = state.withLock { state in
            if !state.isClosed { state.threads[ObjectIdentifier(thread)] = thread }
            return state.isClosed
        }
        if isClosed { thread.stop() }
    }

    func remove(_ thread: ConnectionThread) {
        state.withLock { _ = $0.threads.removeValue(forKey: ObjectIdentifier(thread)) }
    }

    func close() {
        let threads = state.withLock { state in
            state.isClosed = true
            defer { state.threads.removeAll() }
            return Array(state.threads.values)
        }
        threads.forEach { $0.stop() }
    }
}
