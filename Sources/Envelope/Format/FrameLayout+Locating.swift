extension FrameLayout {
    /// The layout of a framed message of which the whole length is known, its footer's length found from what is there:
    /// a signature has no fixed length. `read` fills a buffer from an offset of the message.
    ///
    /// Each length that a signature may have is tried: the two bytes before it must say so, the frames must add up, and the
    /// final frame must stand where it then would. Nothing of it is authenticated yet; a wrong guess cannot be verified.
    /// Throws `authentication` where no layout fits, or what `read` throws.
    package static func locate(
        _ header: MessageHeader, messageBytes: Int, read: (UnsafeMutableRawBufferPointer, Int) throws -> Void
    ) throws -> FrameLayout {
        precondition(header.contentType == .framed, "An unframed message has no frames.")
        guard let curve = header.suite.signatureCurve else {
            return try FrameLayout(
                headerBytes: header.byteCount, frameBytes: header.frameBytes, messageBytes: messageBytes)
        }
        let lengths = SignatureCurve.minimumSignatureBytes...curve.maximumSignatureBytes
        let tailBytes = max(0, min(2 + lengths.upperBound, messageBytes - header.byteCount))
        return try withUnsafeTemporaryAllocation(byteCount: tailBytes + finalPrefixBytes, alignment: 8) { scratch in
            let tail = UnsafeMutableRawBufferPointer(rebasing: scratch[..<tailBytes])
            let prefix = UnsafeMutableRawBufferPointer(rebasing: scratch[tailBytes...])
            try read(tail, messageBytes - tail.count)
            for length in lengths where 2 + length <= tail.count {
                let said = tail.count - length - 2
                guard Int(tail[said]) << 8 | Int(tail[said + 1]) == length,
                    let layout = try? FrameLayout(
                        headerBytes: header.byteCount, frameBytes: header.frameBytes, messageBytes: messageBytes,
                        footerBytes: 2 + length)
                else { continue }
                try read(prefix, layout.offset(ofFrame: layout.frameCount - 1))
                if layout.beginsFinalFrame(UnsafeRawBufferPointer(prefix)) { return layout }
            }
            throw EnvelopeError.authentication
        }
    }

    /// The layout of a message in memory.
    package static func locate(_ header: MessageHeader, in message: UnsafeRawBufferPointer) throws -> FrameLayout {
        try locate(header, messageBytes: message.count) { buffer, offset in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: message[offset..<offset + buffer.count]))
        }
    }

    /// Mark, number, IV and length.
    static let finalPrefixBytes = 4 + 4 + AlgorithmSuite.nonceBytes + 4

    private func beginsFinalFrame(_ prefix: UnsafeRawBufferPointer) -> Bool {
        prefix.bigEndianUInt32(at: 0) == Self.finalMark && Int(prefix.bigEndianUInt32(at: 4)) == frameCount
            && Int(prefix.bigEndianUInt32(at: 8 + AlgorithmSuite.nonceBytes)) == finalFrameBytes
    }
}
