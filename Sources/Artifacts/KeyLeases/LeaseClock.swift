/// Time since some fixed moment, going on while the machine sleeps; and waiting for a moment. Tests bring their own.
package struct LeaseClock: Sendable {
    package let now: @Sendable () -> Duration
    /// Waits until a moment: a pause would grow by whatever passes before it begins. Throws when the task is cancelled.
    package let sleepUntil: @Sendable (Duration) async throws -> Void

    package init(now: @escaping @Sendable () -> Duration, sleepUntil: @escaping @Sendable (Duration) async throws -> Void) {
        self.now = now
        self.sleepUntil = sleepUntil
    }

    package static let continuous: LeaseClock = {
        let clock = ContinuousClock()
        let start = clock.now
        return LeaseClock(now: { clock.now - start }, sleepUntil: { try await clock.sleep(until: start + $0) })
    }()
}
