/// What a reader accepts before it allocates anything. Lengths that a message claims are checked against these first.
package struct MessageLimits: Sendable {
    /// Encrypted data keys of one message.
    package var maximumDataKeys = 64
    /// Header body and what authenticates it.
    package var maximumHeaderBytes = 1 << 20
    /// Frame length of a message; a worker's buffers are of this size.
    package var maximumFrameBytes = 16 << 20
    /// Content of an unframed message, which is held in memory as a whole: nothing of it is authentic before its end.
    package var maximumUnframedBytes = 64 << 20
    /// Suites that the header may name.
    package var policy = MessagePolicy.requireCommitment

    package init(policy: MessagePolicy = .requireCommitment) { self.policy = policy }

    package static let standard = MessageLimits()
}
