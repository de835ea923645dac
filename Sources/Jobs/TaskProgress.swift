import Synchronization

/// How far a task is, from the work to the beat that reports it: totals of input, all attempts together.
final class TaskProgress: Sendable {
    private struct State {
        var durableBytes: Int64 = 0
        var durableRows: Int64 = 0
        var sinceBytes: Int64 = 0
        var sinceRows: Int64 = 0
    }

    private let state = Mutex(State())

    var totals: (bytes: Int64, rows: Int64) {
        state.withLock { ($0.durableBytes + $0.sinceBytes, $0.durableRows + $0.sinceRows) }
    }

    var durable: (bytes: Int64, rows: Int64) {
        state.withLock { ($0.durableBytes, $0.durableRows) }
    }

    func becameDurable(bytes: Int64, rows: Int64) {
        state.withLock { $0 = State(durableBytes: bytes, durableRows: rows) }
    }

    func sinceLastChunk(bytes: Int64, rows: Int64) {
        state.withLock { ($0.sinceBytes, $0.sinceRows) = (bytes, rows) }
    }
}
