/// Capped exponential delays with full jitter: a fleet that lost its server does not come back as one herd.
package struct Backoff: Sendable {
    package static let reconnecting = Backoff(first: .milliseconds(50), cap: .seconds(5))
    package static let conflicting = Backoff(first: .milliseconds(5), cap: .milliseconds(500))

    package let first: Duration
    package let cap: Duration

    package init(first: Duration, cap: Duration) {
        self.first = first
        self.cap = cap
    }

    /// The delay after `failures` failures in a row: between half of the exponential step and all of it.
    /// `fraction` is random in 0..<1.
    package func delay(afterFailures failures: Int, fraction: Double) -> Duration {
        guard failures > 0 else { return .zero }
        var step = first
        for _ in 1..<failures where step < cap { step *= 2 }
        let bounded = min(step, cap)
        return bounded / 2 + bounded * (fraction / 2)
    }
}
