import Synchronization

/// A lease as the process that holds it knows it: the beat extends it or ends it, the work asks it.
package final class HeldLease: Sendable {
    /// Why it ended before its task did.
    package enum Loss: String, Sendable, Hashable, CaseIterable {
        /// Another attempt has the task.
        case taken
        /// The job failed or was stopped: the lease is given up so that clean-up need not wait for it.
        case cancelled
        /// It could not be renewed in time.
        case trustEnded = "trust-ended"
        /// The worker shuts down and its grace is over.
        case drained
    }

    private struct State {
        var trust: TrustWindow
        var loss: Loss?
        var isDraining = false
    }

    private let state: Mutex<State>
    private let signal = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    package init(_ trust: TrustWindow) {
        state = Mutex(State(trust: trust))
    }

    package var loss: Loss? { state.withLock { $0.loss } }
    package var trustUntil: ContinuousClock.Instant { state.withLock { $0.trust.until } }

    package var isDraining: Bool {
        get { state.withLock { $0.isDraining } }
        set { state.withLock { $0.isDraining = newValue } }
    }

    package func isHeld(at now: ContinuousClock.Instant) -> Bool {
        state.withLock { $0.loss == nil && $0.trust.holds(at: now) }
    }

    func renewed(_ trust: TrustWindow) {
        state.withLock { $0.trust.extend(to: trust) }
    }

    /// The first reason stays.
    func lose(_ loss: Loss) {
        let isFirst = state.withLock {
            guard $0.loss == nil else { return false }
            $0.loss = loss
            return true
        }
        guard isFirst else { return }
        JobMetrics.leaseLost(loss)
        signal.continuation.finish()
    }

    /// Returns when the lease is lost, or when the calling task is cancelled. For one caller.
    func untilLost() async {
        for await _ in signal.stream {}
    }

    /// Throws `JobError.leaseLost` once the lease may be somebody else's. Costs a lock, no I/O.
    package func check() throws {
        guard isHeld(at: .now) else { throw JobError.leaseLost(loss.map { "\($0)" } ?? "its lease ran out") }
    }
}
