import Secrets

extension ParallelOpener {
    /// Length of the plaintext of a regular file, proven by its final frame, which is opened for it.
    ///
    /// Throws `invalidInput` for a pipe. An unframed message is opened as a whole.
    package func verifiedLength(_ opener: MessageOpener, _ input: ByteChannel) async throws -> Int {
        try requireRegularFile(input)
        guard opener.header.contentType == .framed else { return try await verifyOnly(opener, input) }
        return try await verifiedLayout(opener, input).plaintextBytes
    }

    /// Opens a range of the plaintext into `output`, whose offset 0 is the range's beginning, and answers its length. Only
    /// the frames that hold it are read, and first the final one, which proves the length.
    ///
    /// A range that reaches beyond the end is cut there (`5..<Int.max` is all from byte 5 on); one that begins beyond it
    /// throws `invalidInput`, as does a pipe. The signature of a signed message is over all of it and cannot be verified
    /// by a part: such a range is refused unless `unverifiedSignature` says that the frames' tags are enough.
    @discardableResult
    package func openRange(
        _ range: Range<Int>, _ opener: MessageOpener, _ input: ByteChannel, into output: ByteChannel,
        unverifiedSignature: Bool = false
    ) async throws -> Int {
        try requireRegularFile(input)
        guard opener.header.contentType == .framed else {
            return try await openUnframed(opener, input, wanted: range, into: output)
        }
        guard opener.signature == nil || unverifiedSignature else {
            throw EnvelopeError.invalidInput(
                "The message is signed as a whole: a range of it can only be opened with its signature unverified.")
        }
        var plan = OpeningPlan()
        let layout = try await verifiedLayout(opener, input)
        plan.layout = layout
        plan.wanted = try Self.resolve(range, length: layout.plaintextBytes)
        plan.output = output
        return try await run(plan, opener, input).plaintextBytes
    }

    /// The part of a range that there is.
    static func resolve(_ range: Range<Int>, length: Int) throws(EnvelopeError) -> Range<Int> {
        guard range.lowerBound >= 0, range.lowerBound < length || range.isEmpty && range.lowerBound == length else {
            throw .invalidInput("The range begins behind the end: the plaintext has \(length) bytes.")
        }
        return range.clamped(to: 0..<length)
    }

    private func requireRegularFile(_ input: ByteChannel) throws(EnvelopeError) {
        guard !input.isSequential else {
            throw .invalidInput("A part of a message is opened from a regular file only; a pipe has no known length.")
        }
    }

    /// The layout of a regular file whose final frame was opened: a message that was cut short has none.
    func verifiedLayout(_ opener: MessageOpener, _ input: ByteChannel) async throws -> FrameLayout {
        try await PassState.run { _ in
            let layout = try Self.layout(opener, input)
            let last = layout.frameCount - 1
            let frame = UnsafeMutableRawBufferPointer.allocate(byteCount: layout.sealedBytes(ofFrame: last), alignment: 64)
            defer {
                wipe(frame)
                frame.deallocate()
            }
            try input.read(into: frame, at: layout.offset(ofFrame: last))
            let content = UnsafeMutableRawBufferPointer(
                rebasing: frame[(FrameLayout.finalOverhead - AlgorithmSuite.tagBytes)...])
            _ = try opener.openFrame(last, UnsafeRawBufferPointer(frame), isFinal: true, into: content)
            return layout
        }
    }
}
