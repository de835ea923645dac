/// Until when a worker may believe that a lease is its own, by its own monotonic clock.
///
/// It begins when the claim or renewal was *sent* and ends a margin before the lease would: the database gave the
/// lease later than that, so a local clock only shortens trust. The clock goes on while the machine sleeps.
package struct TrustWindow: Sendable, Hashable {
    package private(set) var until: ContinuousClock.Instant

    package init(from sent: ContinuousClock.Instant, lease: Duration, margin: Duration) {
        until = sent + lease - margin
    }

    package func holds(at now: ContinuousClock.Instant) -> Bool { now < until }

    /// A renewal that was sent earlier than one already answered changes nothing.
    package mutating func extend(to other: TrustWindow) {
        until = max(until, other.until)
    }
}
