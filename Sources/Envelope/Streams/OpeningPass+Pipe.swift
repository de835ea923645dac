extension OpeningPass {
    /// Reads a batch of a pipe and finds the final frame by its mark. What follows the final frame is the footer of a
    /// signed message, and otherwise nothing.
    func readInOrder(
        number: Int, into buffer: BatchBuffer, _ reading: inout Reading, _ state: PassState
    ) throws -> Batch {
        let check = { try state.check() }
        let wanted = framesPerBatch * regularBytes
        let bytes = UnsafeRawBufferPointer(buffer.bytes)
        var filled = 0
        func fill(to end: Int) throws {
            guard filled < end else { return }
            filled += try input.read(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[filled..<end]), checkpoint: check)
        }
        try fill(to: wanted)
        for frame in 0..<framesPerBatch {
            let start = frame * regularBytes
            guard start + 4 <= filled else { throw EnvelopeError.authentication }
            guard bytes.bigEndianUInt32(at: start) == FrameLayout.finalMark else { continue }
            if filled == wanted { try fill(to: start + FrameLayout.finalPrefixBytes) }
            guard start + FrameLayout.finalPrefixBytes <= filled else { throw EnvelopeError.authentication }
            let content = Int(bytes.bigEndianUInt32(at: start + FrameLayout.finalPrefixBytes - 4))
            guard content <= frameBytes else { throw EnvelopeError.authentication }
            let end = start + FrameLayout.finalOverhead + content
            try fill(to: end)
            guard filled >= end else { throw EnvelopeError.authentication }
            reading.footer = try readFooter(begins: UnsafeRawBufferPointer(rebasing: bytes[end..<filled]), check)
            return Batch(
                number: number, firstFrame: number * framesPerBatch, frames: frame + 1, bytes: end, endsMessage: true)
        }
        guard filled == wanted else { throw EnvelopeError.authentication }
        return Batch(
            number: number, firstFrame: number * framesPerBatch, frames: framesPerBatch, bytes: wanted, endsMessage: false)
    }

    /// All that follows the final frame, of which the front was read already. Throws `authentication` for more than a
    /// footer of this suite can be.
    private func readFooter(begins front: UnsafeRawBufferPointer, _ check: () throws -> Void) throws -> [UInt8] {
        let longest = FrameLayout.maximumFooterBytes(opener.header.suite)
        guard front.count <= longest else { throw EnvelopeError.authentication }
        var rest = [UInt8](repeating: 0, count: longest + 1 - front.count)
        let count = try rest.withUnsafeMutableBytes { try input.read(into: $0, checkpoint: check) }
        guard count < rest.count else { throw EnvelopeError.authentication }
        return Array(front) + rest[..<count]
    }
}
