/// What a pass over a message is to do.
struct OpeningPlan: Sendable {
    /// Known for regular files.
    var layout: FrameLayout?
    /// The part of the plaintext that is opened, of a known layout; `nil` for all of it.
    var wanted: Range<Int>?
    /// Where the plaintext goes; `nil` for nowhere.
    var output: ByteChannel?
    /// Takes the body in order, then the footer; `nil` where there is none or it is not looked at.
    var signature: SignatureStream?
    /// Notes or compares batches.
    var witness: BatchWitness?
    /// Takes the sealed bytes of a pipe, by their offsets in the message.
    var spool: ByteChannel?

    func frames(in layout: FrameLayout) -> Range<Int> {
        wanted.map { layout.frames(ofPlaintext: $0) } ?? 0..<layout.frameCount
    }
}
