import Synchronization

/// Between the trail and the export of its heads: says when an export is due, and refuses records when there was none for
/// too long, because whatever was recorded since could vanish unnoticed.
package final class ExportPace: Sendable {
    /// Records that make an export due before its time.
    package static let recordsPerExport = 1000

    private struct State {
        var lastPass: ContinuousClock.Instant
        var records = 0
    }

    private let bound: Duration?
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state: Mutex<State>
    /// One element for each time that the exporter should look; those that it has not come to yet count as one.
    package let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    /// - Parameter bound: longest time without a successful pass of the exporter; nil: records are never refused.
    package init(bound: Duration? = nil, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.bound = bound
        self.now = now
        state = Mutex(State(lastPass: now()))
        (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Throws `headsNotExported` where nothing may be recorded.
    package func check() throws(AuditError) {
        guard let bound else { return }
        let last = state.withLock { $0.lastPass }
        guard last.advanced(by: bound) >= now() else {
            throw AuditError(
                .headsNotExported, "The heads of the audit trail could not be exported; the request was not answered.")
        }
    }

    /// Time since the beginning of the last pass that succeeded, or since the process began.
    package var age: Duration { now() - state.withLock { $0.lastPass } }

    package func added(_ records: Int) {
        let isDue = state.withLock { state in
            state.records += records
            return state.records >= Self.recordsPerExport
        }
        if isDue { wake.yield() }
    }

    /// A pass over the heads begins: what is recorded from now on is for the next.
    package func begins() { state.withLock { $0.records = 0 } }

    /// What was committed before `start` is in exported heads.
    package func passed(from start: ContinuousClock.Instant) { state.withLock { $0.lastPass = max($0.lastPass, start) } }

    package func tick() { wake.yield() }

    package func finish() { wake.finish() }
}
