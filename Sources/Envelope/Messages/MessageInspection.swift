/// What can be said of a message without any key: nothing in it is authenticated.
package struct MessageInspection: Sendable {
    /// `nil` where not even the header is one.
    package private(set) var header: MessageHeader?
    /// Length of the file; `nil` for a pipe, of which only the header is read.
    package private(set) var messageBytes: Int?
    /// `nil` where the length is unknown, or is one that no message has.
    package private(set) var layout: FrameLayout?
    /// Frames whose marks, numbers, IVs and lengths were looked at.
    package private(set) var framesSeen = 0
    /// What is wrong, in words; at most ``maximumProblems``.
    package private(set) var problems: [String] = []

    package static let maximumProblems = 20

    package static func inspect(
        _ input: ByteChannel, limits: MessageLimits = .standard, checkpoint: @escaping @Sendable () throws -> Void = {}
    ) async throws -> MessageInspection {
        var options = PassOptions()
        options.checkpoint = checkpoint
        var result = MessageInspection()
        if case .positional(let bytes) = input.access { result.messageBytes = bytes }
        do {
            result.header = try await ParallelOpener(options: options, limits: limits).readHeader(input)
        } catch let error as EnvelopeError where error.code == .suiteRefused {
            result.problems = [error.message]
        } catch let error as EnvelopeError where error.code == .authentication {
            result.problems = ["The header is not one of a framed message of version 2, is cut short, or exceeds the bounds."]
        }
        if result.header != nil { try await result.lookAtFrames(input) }
        return result
    }

    private mutating func lookAtFrames(_ input: ByteChannel) async throws {
        guard let header, let messageBytes else { return }
        guard
            let layout = try? FrameLayout(
                headerBytes: header.byteCount, frameBytes: header.frameBytes, messageBytes: messageBytes)
        else {
            problems.append("No message with this header is \(messageBytes) bytes long: it was cut short or added to.")
            return
        }
        self.layout = layout
        let found = FrameFindings()
        try await PassState.run(threads: 1) { state in
            try withUnsafeTemporaryAllocation(byteCount: 24, alignment: 8) { prefix in
                for frame in 0..<layout.frameCount where found.count < Self.maximumProblems {
                    try state.check()
                    let length = layout.isFinal(frame) ? 24 : 16
                    let bytes = UnsafeMutableRawBufferPointer(rebasing: prefix[..<length])
                    try input.read(into: bytes, at: layout.offset(ofFrame: frame))
                    if let problem = Self.problem(frame, UnsafeRawBufferPointer(bytes), layout) { found.append(problem) }
                }
            }
        }
        framesSeen = layout.frameCount
        problems += found.all
    }

    private static func problem(_ frame: Int, _ bytes: UnsafeRawBufferPointer, _ layout: FrameLayout) -> String? {
        let sequence = UInt32(frame + 1)
        let isFinal = layout.isFinal(frame)
        let mark = bytes.bigEndianUInt32(at: 0)
        guard (mark == FrameLayout.finalMark) == isFinal else {
            return isFinal
                ? "The last frame is not marked as final: the message was cut short." : "Frame \(sequence) is marked as final."
        }
        let number = isFinal ? bytes.bigEndianUInt32(at: 4) : mark
        guard number == sequence else { return "Frame \(sequence) has the number \(number)." }
        let nonceAt = isFinal ? 8 : 4
        let nonce = (0..<3).map { bytes.bigEndianUInt32(at: nonceAt + 4 * $0) }
        guard nonce == [0, 0, sequence] else { return "Frame \(sequence) has an IV that is not its number." }
        if isFinal, Int(bytes.bigEndianUInt32(at: 20)) != layout.finalFrameBytes {
            return "The final frame claims a length that the message does not have."
        }
        return nil
    }
}
