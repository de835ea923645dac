/// When a relay tries again after Kafka or PostgreSQL failed it. Pure.
package struct RelayPacing: Sendable {
    package static let shortestPause = Duration.milliseconds(250)
    package static let longestPause = Duration.seconds(5)

    private var failures = 0
    private var notBefore: ContinuousClock.Instant?

    package init() {}

    package func mayTry(at now: ContinuousClock.Instant) -> Bool { notBefore.map { $0 <= now } ?? true }

    package mutating func succeeded() { self = RelayPacing() }

    /// `fraction` of 0..<1 spreads relays that failed together over the half of the pause.
    package mutating func failed(at now: ContinuousClock.Instant, fraction: Double) {
        let pause = min(Self.shortestPause * (1 << min(failures, 10)), Self.longestPause)
        failures += 1
        notBefore = now + pause / 2 + pause / 2 * fraction
    }
}
