/// Capped exponential delays with full jitter: a fleet that lost its server does not come back as one herd.
struct Backoff: Sendable {
    static let reconnecting = Backoff(first: .milliseconds(50), cap: .seconds(5))
    static let conflicting = Backoff(first: .milliseconds(5), cap: .milliseconds(500))

    let first: Duration
    let cap: Duration

    /// The delay after `failures` failures in a row: between half of the exponential step and all of it.
    /// `fraction` is random in 0..<1.
    func delay(afterFailures failures: Int, fraction: Double) -> Duration {
        guard failures > 0 else { return .zero }
        var step = first
        for _ in 1..<failures where step < cap { step *= 2 }
        let bounded = min(step, cap)
        return bounded / 2 + bounded * (fraction / 2)
    }
}
