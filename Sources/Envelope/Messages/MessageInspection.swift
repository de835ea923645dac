/// What can be said of a message without any key: nothing in it is authenticated.
///
/// Of a regular file of any size only the header, the frames' beginnings and the footer's length are read.
package struct MessageInspection: Sendable {
    /// A frame as it says itself to be.
    package struct Frame: Sendable, Equatable {
        package let offset: Int
        /// Sequence number as written.
        package let number: UInt32
        /// Plaintext bytes: the frame length, or what the final frame claims.
        package let plaintextBytes: Int
        package let isFinal: Bool
    }

    /// `nil` where not even the header is one.
    package internal(set) var header: MessageHeader?
    /// Length of the file; `nil` for a pipe, of which only the header is read.
    package internal(set) var messageBytes: Int?
    /// `nil` where the length is unknown, or is one that no message has, or the message is unframed.
    package internal(set) var layout: FrameLayout?
    /// Content of an unframed message, as it claims.
    package internal(set) var unframedBytes: Int?
    /// Signature in the footer; `nil` where there is none, or none was found.
    package internal(set) var signatureBytes: Int?
    /// The first frames, as many as were asked for.
    package internal(set) var frames: [Frame] = []
    /// Frames whose marks, numbers, IVs and lengths were looked at.
    package internal(set) var framesSeen = 0
    /// What is wrong, in words; at most ``maximumProblems``.
    package internal(set) var problems: [String] = []
    /// What is not wrong and yet keeps the message from being opened without further options.
    package internal(set) var notices: [String] = []

    package static let maximumProblems = 20
    /// Frames that are listed unless more are asked for.
    package static let standardListing = 1000

    /// Throws `inputOutput` where the input cannot be read, or what `checkpoint` throws; whatever is wrong with the message
    /// is in the result.
    package static func inspect(
        _ input: ByteChannel, listing: Int = standardListing, limits: MessageLimits = .standard,
        checkpoint: @escaping @Sendable () throws -> Void = {}
    ) async throws -> MessageInspection {
        var options = PassOptions()
        options.checkpoint = checkpoint
        // Looking costs no memory, so longer frames and other suites than are opened can be shown.
        var lenient = limits
        lenient.policy = .allowUncommitted
        lenient.maximumFrameBytes = Int(UInt32.max)
        var result = MessageInspection()
        if case .positional(let bytes) = input.access { result.messageBytes = bytes }
        do {
            result.header = try await ParallelOpener(options: options, limits: lenient).readHeader(input)
        } catch let error as EnvelopeError where error.code == .authentication {
            result.problems = ["The header is not one of an AWS Encryption SDK message, is cut short, or exceeds the bounds."]
        }
        guard let header = result.header else { return result }
        result.compare(header, with: limits)
        guard result.messageBytes != nil else { return result }
        let walk = MessageWalk(input: input, header: header, listing: listing, limits: limits, result: result)
        try await PassState.run(threads: 1) { state in
            try walk.run {
                try state.check()
                try checkpoint()
            }
        }
        return walk.result
    }

    private mutating func compare(_ header: MessageHeader, with limits: MessageLimits) {
        if !header.suite.isCommitting {
            notices.append("Suite \(header.suite) does not commit to its key: opened only where the commitment policy allows it.")
        }
        if header.frameBytes > limits.maximumFrameBytes {
            notices.append("Frames hold \(header.frameBytes) bytes; at most \(limits.maximumFrameBytes) are opened.")
        }
    }
}
