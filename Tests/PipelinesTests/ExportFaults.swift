import Jobs
import Synchronization

/// Faults that happen so many times.
final class ExportFaults: Sendable {
    private let state: Mutex<Int>
    init(_ count: Int) { state = Mutex(count) }

    var left: Int { state.withLock { $0 } }

    func count() {
        state.withLock { if $0 > 0 { $0 -= 1 } }
    }

    func fail() throws {
        let fails = state.withLock { left in
            guard left > 0 else { return false }
            left -= 1
            return true
        }
        if fails { throw JobError.retriable("A fault of the test.") }
    }
}
