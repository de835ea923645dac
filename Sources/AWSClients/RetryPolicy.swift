package import AWSProtocol

/// How often and when a call is tried again: full jitter under an exponential cap; behind "too fast" half of it is waited in any
/// case, since pauses near zero would use up all attempts within the same second. Pure.
package struct RetryPolicy: Sendable {
    package var attempts: Int
    /// Upper bound of the first pause; it doubles with each further one.
    package var base: Duration
    /// The same after an answer that says "too fast".
    package var throttledBase: Duration
    package var cap: Duration

    package init(
        attempts: Int = 4, base: Duration = .milliseconds(50), throttledBase: Duration = .milliseconds(500),
        cap: Duration = .seconds(2)
    ) {
        self.attempts = attempts
        self.base = base
        self.throttledBase = throttledBase
        self.cap = cap
    }

    /// The pause after this many attempts, `jitter` being drawn from 0..<1; nil where the call has failed for good.
    package func pause(after error: AWSError, attempts made: Int, elapsed: Duration, limit: Duration, jitter: Double)
        -> Duration?
    {
        guard error.isRetriable, made < attempts else { return nil }
        let start = error.isThrottling ? throttledBase : base
        let ceiling = min(cap, start * (1 << min(made - 1, 16)))
        let pause = error.isThrottling ? ceiling * (0.5 + jitter / 2) : ceiling * jitter
        return elapsed + pause < limit ? pause : nil
    }
}
