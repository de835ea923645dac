/// Tokens that come at a steady rate until the bucket is full; a call takes one. Pure: the time comes in.
///
/// A bucket starts full and holds the tokens of one second, at least one, so that a rate below one a second lets a call
/// through at all.
package struct TokenBucket: Sendable, Equatable {
    package let tokensPerSecond: Double
    private var tokens: Double
    private var updatedAt: Duration

    /// - Parameter now: on any clock that does not run backwards.
    package init(tokensPerSecond: Double, now: Duration) {
        precondition(tokensPerSecond > 0, "A bucket that never fills would refuse for good.")
        self.tokensPerSecond = tokensPerSecond
        tokens = max(1, tokensPerSecond)
        updatedAt = now
    }

    package var capacity: Double { max(1, tokensPerSecond) }

    package func has(_ count: Double = 1, now: Duration) -> Bool { level(at: now) >= count }

    /// A full bucket says no more than one that was never made.
    package func isFull(now: Duration) -> Bool { level(at: now) >= capacity }

    package mutating func take(now: Duration) {
        tokens = max(0, level(at: now) - 1)
        updatedAt = max(updatedAt, now)
    }

    private func level(at now: Duration) -> Double {
        // A time before the last one adds nothing.
        let seconds = max(0, (now - updatedAt) / .seconds(1))
        return min(capacity, tokens + seconds * tokensPerSecond)
    }
}
