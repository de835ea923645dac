/// How long to wait before a retriable failure is tried again: doubling, capped, with full jitter, so that what
/// failed together does not come back together.
package struct RetryPolicy: Sendable, Hashable {
    package var first: Duration
    package var cap: Duration
    /// How long a task's attempts may end in such failures without a chunk in between; nil: `JobsConfiguration.retryPeriod`.
    package var period: Duration?

    package init(first: Duration = .milliseconds(250), cap: Duration = .seconds(30), period: Duration? = nil) {
        self.first = first
        self.cap = cap
        self.period = period
    }

    /// - Parameters:
    ///   - failures: how many failures there were before this one.
    ///   - random: in 0 ..< 1.
    /// - Returns: between half and the whole of the capped, doubled interval.
    package func backoff(afterFailures failures: Int, random: Double) -> Duration {
        precondition((0..<1).contains(random), "The random value of a backoff lies in 0 ..< 1.")
        let doublings = min(max(failures, 0), 20)
        let whole = min(first * (1 << doublings), cap)
        return whole * (0.5 + random / 2)
    }
}
