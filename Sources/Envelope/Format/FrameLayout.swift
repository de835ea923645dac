/// Where each frame of a message lies. All frames but the last have one length, so any offset is known.
///
/// Regular frame: sequence number (4) · IV (12) · ciphertext (L) · tag (16).
/// Final frame: `FFFFFFFF` · sequence number (4) · IV (12) · content length (4) · ciphertext (n ≤ L) · tag (16).
/// Footer of a signed message: signature length (2) · signature.
package struct FrameLayout: Sendable, Equatable {
    package let headerBytes: Int
    /// L: plaintext in a regular frame.
    package let frameBytes: Int
    /// Regular frames and the final one.
    package let frameCount: Int
    /// n: plaintext in the final frame.
    package let finalFrameBytes: Int
    /// Footer; 0 where nothing is signed.
    package let footerBytes: Int

    package static let regularOverhead = 32
    package static let finalOverhead = 40
    static let finalMark: UInt32 = 0xFFFF_FFFF
    /// Sequence numbers count from 1 in four bytes.
    package static let maximumFrames = Int(UInt32.max)

    /// Layout of a message yet to be sealed. A plaintext that is a multiple of L ends in a full final frame.
    package init(
        headerBytes: Int, frameBytes: Int, plaintextBytes: Int, footerBytes: Int = 0
    ) throws(EnvelopeError) {
        precondition(frameBytes > 0 && plaintextBytes >= 0 && headerBytes >= 0 && footerBytes >= 0)
        let regular = plaintextBytes == 0 ? 0 : (plaintextBytes - 1) / frameBytes
        guard regular < Self.maximumFrames else {
            throw .invalidInput("A message holds at most \(Self.maximumFrames) frames; use longer frames.")
        }
        self.headerBytes = headerBytes
        self.frameBytes = frameBytes
        self.footerBytes = footerBytes
        frameCount = regular + 1
        finalFrameBytes = plaintextBytes - regular * frameBytes
    }

    /// Layout of a message of which the whole length is known. Throws `authentication` where no message has it.
    ///
    /// A signed message's footer must be known too; `FrameLayout.locate` finds it.
    package init(
        headerBytes: Int, frameBytes: Int, messageBytes: Int, footerBytes: Int = 0
    ) throws(EnvelopeError) {
        precondition(frameBytes > 0 && headerBytes >= 0 && footerBytes >= 0)
        let regularBytes = frameBytes + Self.regularOverhead
        let behindHeader = messageBytes - headerBytes - Self.finalOverhead - footerBytes
        guard behindHeader >= 0, behindHeader % regularBytes <= frameBytes,
            behindHeader / regularBytes < Self.maximumFrames
        else { throw .authentication }
        self.headerBytes = headerBytes
        self.frameBytes = frameBytes
        self.footerBytes = footerBytes
        frameCount = behindHeader / regularBytes + 1
        finalFrameBytes = behindHeader % regularBytes
    }

    package var plaintextBytes: Int { (frameCount - 1) * frameBytes + finalFrameBytes }

    package var messageBytes: Int { footerOffset + footerBytes }

    /// Where the final frame ends.
    package var footerOffset: Int { offset(ofFrame: frameCount - 1) + Self.finalOverhead + finalFrameBytes }

    package func isFinal(_ frame: Int) -> Bool { frame == frameCount - 1 }

    /// Where the frame begins in the message, counting from 0.
    package func offset(ofFrame frame: Int) -> Int {
        headerBytes + frame * (frameBytes + Self.regularOverhead)
    }

    /// Sealed length of the frame.
    package func sealedBytes(ofFrame frame: Int) -> Int {
        isFinal(frame) ? Self.finalOverhead + finalFrameBytes : Self.regularOverhead + frameBytes
    }

    /// Plaintext length of the frame.
    package func plaintextBytes(ofFrame frame: Int) -> Int { isFinal(frame) ? finalFrameBytes : frameBytes }

    /// Where consecutive frames lie in the message.
    package func messageRange(ofFrames frames: Range<Int>) -> Range<Int> {
        guard let last = frames.last else { return headerBytes..<headerBytes }
        return offset(ofFrame: frames.lowerBound)..<offset(ofFrame: last) + sealedBytes(ofFrame: last)
    }

    /// The frames that hold a range of the plaintext. The range must lie inside it.
    package func frames(ofPlaintext range: Range<Int>) -> Range<Int> {
        precondition(range.lowerBound >= 0 && range.upperBound <= plaintextBytes, "The range lies outside the plaintext.")
        guard !range.isEmpty else { return 0..<0 }
        return range.lowerBound / frameBytes..<(range.upperBound - 1) / frameBytes + 1
    }
}
