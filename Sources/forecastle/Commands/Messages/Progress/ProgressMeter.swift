import Synchronization

/// How far a pass is: told by its threads, read by whoever draws.
final class ProgressMeter: Sendable {
    private let done = Atomic<Int>(0)
    private let whole = Atomic<Int>(-1)
    private let rounds = Atomic<Int>(1)

    func add(_ bytes: Int) { done.add(bytes, ordering: .relaxed) }

    /// Of a plaintext that is gone through several times, its share.
    var bytes: Int { done.load(ordering: .relaxed) / passes }

    /// How often the pass is told of each byte.
    var passes: Int {
        get { rounds.load(ordering: .relaxed) }
        set { rounds.store(newValue, ordering: .relaxed) }
    }

    /// Nil until it is known, and for pipes.
    var total: Int? {
        get {
            let total = whole.load(ordering: .relaxed)
            return total < 0 ? nil : total
        }
        set { whole.store(newValue ?? -1, ordering: .relaxed) }
    }
}
