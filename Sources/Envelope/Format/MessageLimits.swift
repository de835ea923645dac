/// What a reader accepts before it allocates anything. Lengths that a message claims are checked against these first.
package struct MessageLimits: Sendable {
    /// Encrypted data keys of one message.
    package var maximumDataKeys = 64
    /// Header body and tag.
    package var maximumHeaderBytes = 1 << 20
    /// Frame length of a message; a worker's buffers are of this size.
    package var maximumFrameBytes = 16 << 20

    package init() {}

    package static let standard = MessageLimits()
}
