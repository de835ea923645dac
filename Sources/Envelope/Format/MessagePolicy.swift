/// Which messages may be opened: the decrypting half of the SDKs' commitment policy.
package enum MessagePolicy: Sendable, Equatable {
    /// Suites with key commitment alone. Jobs know no other.
    case requireCommitment
    /// Messages of version 1 too, which nothing ties to one key: only for people, who say so for the message at hand.
    case allowUncommitted

    /// Throws `suiteRefused`, which names the suite and what would let it pass.
    func check(_ suite: AlgorithmSuite) throws(EnvelopeError) {
        guard suite.isCommitting || self == .allowUncommitted else {
            throw .suiteRefused(
                "The message has suite \(suite), which does not commit to its key. Such messages are refused unless the "
                    + "commitment policy is set to allow them.")
        }
    }
}
