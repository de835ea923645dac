import Envelope
import Testing

@Suite struct FrameLayoutTests {
    @Test func layoutsByPlaintextAndByMessageAgree() throws {
        for frame in [1, 7, 16] {
            for size in 0...50 {
                let made = try FrameLayout(headerBytes: 100, frameBytes: frame, plaintextBytes: size)
                #expect(made.plaintextBytes == size)
                let read = try FrameLayout(headerBytes: 100, frameBytes: frame, messageBytes: made.messageBytes)
                #expect(read == made)
                #expect(made.messageRange(ofFrames: 0..<made.frameCount) == 100..<made.messageBytes)
            }
        }
    }

    /// Between a full final frame and one more regular frame lie lengths that no message has.
    @Test func impossibleLengthsAreRefused() throws {
        let possible = (0..<500).filter { (try? FrameLayout(headerBytes: 0, frameBytes: 16, messageBytes: $0)) != nil }
        let made = Set((0..<500).compactMap { try? FrameLayout(headerBytes: 0, frameBytes: 16, plaintextBytes: $0).messageBytes })
        // Only an empty final frame behind regular ones is read and never made.
        let emptyFinal = Set((0..<12).map { $0 * 48 + 40 })
        #expect(Set(possible).subtracting(made).isSubset(of: emptyFinal))
        #expect(made.filter { $0 < 500 }.isSubset(of: Set(possible)))
        #expect(!possible.contains(39) && possible.contains(40) && possible.contains(56) && !possible.contains(57))
    }

    @Test func framesAreCountedInFourBytes() throws {
        let most = FrameLayout.maximumFrames
        #expect(try FrameLayout(headerBytes: 0, frameBytes: 1, plaintextBytes: most).frameCount == most)
        #expect(throws: EnvelopeError.self) { try FrameLayout(headerBytes: 0, frameBytes: 1, plaintextBytes: most + 1) }
    }
}
