/// How often a key lease is renewed and how long an answer is believed.
package struct KeyLeaseTiming: Sendable, Equatable {
    /// Between renewals: 2 s at the authority, 5 s at AWS.
    package var interval: Duration
    /// After which a renewal counts as not answered.
    package var answerWithin: Duration
    /// Renewals in a row without an answer that end the lease.
    package var unansweredAllowed: Int
    /// How long after the question to which KMS last said yes the key may be used, whatever holds the process, the question or
    /// the answer up: the renewals that are allowed to go unanswered, and the time that the last of them has for its answer.
    /// So a revocation bounds every use behind it by the same time.
    package var trust: Duration

    package init(interval: Duration = .seconds(2), unansweredAllowed: Int = 2) {
        precondition(interval > .zero && unansweredAllowed > 0, "A key lease needs an interval and a number of renewals.")
        self.interval = interval
        answerWithin = interval
        self.unansweredAllowed = unansweredAllowed
        trust = interval * unansweredAllowed + answerWithin
    }

    package static let authority = KeyLeaseTiming()
    package static let aws = KeyLeaseTiming(interval: .seconds(5))
}
