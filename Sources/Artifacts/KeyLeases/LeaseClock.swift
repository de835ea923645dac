/// Time since some fixed moment, going on while the machine sleeps; and waiting. Tests bring their own.
package struct LeaseClock: Sendable {
    package let now: @Sendable () -> Duration
    /// Waits; throws when the task is cancelled.
    package let sleep: @Sendable (Duration) async throws -> Void

    package init(now: @escaping @Sendable () -> Duration, sleep: @escaping @Sendable (Duration) async throws -> Void) {
        self.now = now
        self.sleep = sleep
    }

    package static let continuous: LeaseClock = {
        let clock = ContinuousClock()
        let start = clock.now
        return LeaseClock(now: { clock.now - start }, sleep: { try await clock.sleep(for: $0) })
    }()
}
