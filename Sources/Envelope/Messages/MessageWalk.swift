import Synchronization

/// Goes along a message in a regular file from frame to frame, without their ciphertext, and notes what it finds.
final class MessageWalk: Sendable {
    private let input: ByteChannel
    private let header: MessageHeader
    private let listing: Int
    private let limits: MessageLimits
    private let findings: Mutex<MessageInspection>

    init(input: ByteChannel, header: MessageHeader, listing: Int, limits: MessageLimits, result: MessageInspection) {
        self.input = input
        self.header = header
        self.listing = listing
        self.limits = limits
        findings = Mutex(result)
    }

    var result: MessageInspection { findings.withLock { $0 } }

    /// `checkpoint` is asked before each frame. Throws what it throws, and faults of reading.
    func run(_ checkpoint: () throws -> Void) throws {
        try findings.withLock { findings in
            guard let messageBytes = findings.messageBytes else { return }
            switch header.contentType {
            case .framed: try lookAtFrames(messageBytes, &findings, checkpoint)
            case .unframed: try lookAtUnframed(messageBytes, &findings)
            }
        }
    }

    private func lookAtFrames(
        _ messageBytes: Int, _ findings: inout MessageInspection, _ checkpoint: () throws -> Void
    ) throws {
        do {
            findings.layout = try FrameLayout.locate(header, messageBytes: messageBytes) { try input.read(into: $0, at: $1) }
        } catch let error as EnvelopeError where error == .authentication {
            findings.problems.append(
                header.suite.isSigned
                    ? "The message does not end in a final frame and a signature: it was cut short or added to."
                    : "No message with this header is \(messageBytes) bytes long: it was cut short or added to.")
        }
        guard let layout = findings.layout else { return }
        if layout.footerBytes > 0 { findings.signatureBytes = layout.footerBytes - 2 }
        try withUnsafeTemporaryAllocation(byteCount: FrameLayout.finalPrefixBytes, alignment: 8) { prefix in
            for frame in 0..<layout.frameCount where findings.problems.count < MessageInspection.maximumProblems {
                try checkpoint()
                let length = layout.isFinal(frame) ? FrameLayout.finalPrefixBytes : 4 + AlgorithmSuite.nonceBytes
                let bytes = UnsafeMutableRawBufferPointer(rebasing: prefix[..<length])
                try input.read(into: bytes, at: layout.offset(ofFrame: frame))
                note(frame, UnsafeRawBufferPointer(bytes), layout, &findings)
            }
        }
    }

    private func note(
        _ frame: Int, _ bytes: UnsafeRawBufferPointer, _ layout: FrameLayout, _ findings: inout MessageInspection
    ) {
        let isFinal = layout.isFinal(frame)
        findings.framesSeen += 1
        if findings.frames.count < listing {
            findings.frames.append(
                MessageInspection.Frame(
                    offset: layout.offset(ofFrame: frame), number: bytes.bigEndianUInt32(at: isFinal ? 4 : 0),
                    plaintextBytes: isFinal
                        ? Int(bytes.bigEndianUInt32(at: 8 + AlgorithmSuite.nonceBytes)) : layout.frameBytes,
                    isFinal: bytes.bigEndianUInt32(at: 0) == FrameLayout.finalMark))
        }
        if let problem = problem(frame, bytes, layout) { findings.problems.append(problem) }
    }

    private func problem(_ frame: Int, _ bytes: UnsafeRawBufferPointer, _ layout: FrameLayout) -> String? {
        let sequence = UInt32(frame + 1)
        let isFinal = layout.isFinal(frame)
        let mark = bytes.bigEndianUInt32(at: 0)
        guard (mark == FrameLayout.finalMark) == isFinal else {
            return isFinal
                ? "The last frame is not marked as final: the message was cut short." : "Frame \(sequence) is marked as final."
        }
        let number = isFinal ? bytes.bigEndianUInt32(at: 4) : mark
        guard number == sequence else { return "Frame \(sequence) has the number \(number)." }
        guard hasDerivedNonce(bytes, at: isFinal ? 8 : 4, sequence) else {
            return "Frame \(sequence) has an IV that is not its number."
        }
        if isFinal, Int(bytes.bigEndianUInt32(at: 8 + AlgorithmSuite.nonceBytes)) != layout.finalFrameBytes {
            return "The final frame claims a length that the message does not have."
        }
        return nil
    }

    /// Of version 1 any IV is possible.
    private func hasDerivedNonce(_ bytes: UnsafeRawBufferPointer, at offset: Int, _ sequence: UInt32) -> Bool {
        header.version == 1 || (0..<3).map { bytes.bigEndianUInt32(at: offset + 4 * $0) } == [0, 0, sequence]
    }

    private func lookAtUnframed(_ messageBytes: Int, _ findings: inout MessageInspection) throws {
        let start = header.byteCount
        guard messageBytes >= start + UnframedBody.overheadBytes else {
            return findings.problems.append("The message ends before its content: it was cut short.")
        }
        let maximumFooter = FrameLayout.maximumFooterBytes(header.suite)
        try withUnsafeTemporaryAllocation(byteCount: UnframedBody.prefixBytes, alignment: 8) { prefix in
            try input.read(into: prefix, at: start)
            let bytes = UnsafeRawBufferPointer(prefix)
            let content = try? UnframedBody.contentBytes(bytes)
            findings.unframedBytes = content
            guard let content, case let footer = messageBytes - start - UnframedBody.overheadBytes - content,
                footer >= 0, footer <= maximumFooter, header.suite.isSigned == (footer > 2)
            else {
                return findings.problems.append("The message claims a length of its content that it does not have.")
            }
            if footer > 2 { findings.signatureBytes = footer - 2 }
            if !hasDerivedNonce(bytes, at: 0, 1) { findings.problems.append("The content has an IV that is not 1.") }
            if content > limits.maximumUnframedBytes {
                findings.notices.append(
                    "The message is unframed and holds \(content) bytes; at most \(limits.maximumUnframedBytes) are opened.")
            }
        }
    }
}
