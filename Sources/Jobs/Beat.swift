import Dispatch
import Logging
import Synchronization

/// One beat for all leases of a worker process: renews them in one statement, hears of stops and lost fences, and ends
/// the trust in leases that could not be renewed.
///
/// It runs on a thread, a connection and timers of its own, so that no amount of work delays it.
final class Beat: Sendable {
    private struct State {
        var tasks: [TaskID: ClaimedTask] = [:]
        var isDraining = false
    }

    /// At most this long after its end a lost trust is noticed; the trust margin is there for it.
    private static let trustCheckInterval: Duration = .milliseconds(100)

    private let store: JobStore
    private let logger: Logger
    private let state = Mutex(State())
    /// Rung by the timer, and by announcements: the next beat comes sooner.
    let bell: Doorbell
    /// Rung with every beat: the worker looks for work.
    private let workBell: Doorbell
    /// A serial queue has a thread of its own, however busy the global ones and the cooperative pool are.
    private let queue = DispatchQueue(label: "forecastle.beat", qos: .userInteractive)

    init(store: JobStore, bell: Doorbell, workBell: Doorbell, logger: Logger) {
        self.store = store
        self.bell = bell
        self.workBell = workBell
        self.logger = logger
    }

    func hold(_ task: ClaimedTask) {
        let isDraining = state.withLock {
            $0.tasks[task.id] = task
            return $0.isDraining
        }
        task.lease.isDraining = isDraining
    }

    func letGo(_ task: ClaimedTask) {
        state.withLock {
            // Its successor in this same process may hold the entry already.
            if $0.tasks[task.id]?.fence == task.fence { $0.tasks[task.id] = nil }
        }
    }

    /// Running tasks end at their next chunk; those that have not by the end of the grace lose their lease.
    func drain(grace: Duration) {
        let tasks = state.withLock {
            $0.isDraining = true
            return Array($0.tasks.values)
        }
        for task in tasks { task.lease.isDraining = true }
        queue.asyncAfter(deadline: .now() + grace.dispatchInterval) { [weak self] in
            guard let self else { return }
            for task in self.state.withLock({ Array($0.tasks.values) }) { task.lease.lose(.drained) }
        }
    }

    /// Beats until `bell` is closed.
    func run() async {
        let beatTimer = timer(every: store.configuration.beat) { [bell] in bell.ring() }
        // Synchronous, on the queue's own thread: it needs neither the database nor a Swift thread to be free.
        let trustTimer = timer(every: Self.trustCheckInterval) { [weak self] in self?.endTrust(at: .now) }
        defer {
            beatTimer.cancel()
            trustTimer.cancel()
        }
        for await _ in bell.rings {
            await beat()
            workBell.ring()
        }
    }

    /// Rings the work bell once, later.
    func ringWork(after delay: Duration) {
        queue.asyncAfter(deadline: .now() + delay.dispatchInterval) { [workBell] in workBell.ring() }
    }

    private func timer(every interval: Duration, _ body: @escaping @Sendable () -> Void) -> any DispatchSourceTimer {
        let timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now(), repeating: interval.dispatchInterval)
        timer.setEventHandler(handler: body)
        timer.resume()
        return timer
    }

    private func beat() async {
        let tasks = state.withLock { $0.tasks }
        guard !tasks.isEmpty else { return }
        let sent = ContinuousClock.now
        do {
            let answers = try await store.renew(
                tasks.values.map { task in
                    let totals = task.progress.totals
                    return BeatEntry(task: task.id, fence: task.fence, bytes: totals.bytes, rows: totals.rows)
                })
            let trust = TrustWindow(
                from: sent, lease: store.configuration.lease, margin: store.configuration.trustMargin)
            for task in tasks.values {
                switch answers[task.id] {
                case .held: task.lease.renewed(trust)
                case .lost(let loss): task.lease.lose(loss)
                case .busy, nil: break
                }
            }
        } catch {
            logger.warning("Leases could not be renewed", metadata: ["error": "\(error)", "tasks": "\(tasks.count)"])
        }
    }

    private func endTrust(at now: ContinuousClock.Instant) {
        for task in state.withLock({ Array($0.tasks.values) }) where now >= task.lease.trustUntil {
            guard task.lease.loss == nil else { continue }
            task.lease.lose(.trustEnded)
        }
    }
}

extension Duration {
    var dispatchInterval: DispatchTimeInterval {
        let (seconds, attoseconds) = max(self, .zero).components
        return .nanoseconds(Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000))
    }
}
