/// One frame, sealed or opened between two buffers of the caller's. Frames are independent of each other: any thread may
/// take any of them.
///
/// IV = sequence number, left-padded to 12 bytes. Associated data = message id · text · sequence number (4) ·
/// content length (8). Source: AWS Encryption SDK specification, "Message Body" and "Message Body AAD".
struct FrameCodec: Sendable {
    let cipher: any FrameCipher
    let messageID: [UInt8]
    let frameBytes: Int
    /// Version 2 has no IVs but these; SDKs of before 2017 drew those of version 1 at random, and read what stands there.
    var requiresDerivedNonces = true

    private static let regularText = Array("AWSKMSEncryptionClient Frame".utf8)
    private static let finalText = Array("AWSKMSEncryptionClient Final Frame".utf8)

    /// Bytes before the ciphertext, and behind it.
    private static let regularPrefix = 4 + AlgorithmSuite.nonceBytes
    private static let finalPrefix = 4 + 4 + AlgorithmSuite.nonceBytes + 4

    /// Writes the frame into the front of `output` and answers its length. `index` counts from 0.
    func seal(
        _ index: Int, _ plaintext: UnsafeRawBufferPointer, isFinal: Bool, into output: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        precondition(index >= 0 && index < FrameLayout.maximumFrames, "A message has no frame of this number.")
        precondition(
            isFinal ? plaintext.count <= frameBytes : plaintext.count == frameBytes && index + 1 < FrameLayout.maximumFrames,
            "Every frame but the final one is full.")
        let sequence = UInt32(index + 1)
        let prefix = isFinal ? Self.finalPrefix : Self.regularPrefix
        let total = prefix + plaintext.count + AlgorithmSuite.tagBytes
        precondition(output.count >= total, "The buffer is too short for a sealed frame.")
        if isFinal {
            output.store(bigEndian: FrameLayout.finalMark, at: 0)
            output.store(bigEndian: sequence, at: 4)
            Self.writeNonce(sequence, to: output, at: 8)
            output.store(bigEndian: UInt32(plaintext.count), at: 8 + AlgorithmSuite.nonceBytes)
        } else {
            output.store(bigEndian: sequence, at: 0)
            Self.writeNonce(sequence, to: output, at: 4)
        }
        let sealed = UnsafeMutableRawBufferPointer(rebasing: output[prefix..<total])
        try withNonceAndAssociatedData(
            sequence, bytes: plaintext.count, text: isFinal ? Self.finalText : Self.regularText
        ) { nonce, associated in
            try cipher.seal(plaintext, nonce: nonce, associatedData: associated, into: sealed)
        }
        return total
    }

    /// Verifies a frame that must be exactly `frame`, and writes its plaintext into the front of `output`; answers the
    /// plaintext's length. Throws `authentication` for whatever is not this frame; then nothing was written.
    func open(
        _ index: Int, _ frame: UnsafeRawBufferPointer, isFinal: Bool, into output: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        guard index >= 0, index < FrameLayout.maximumFrames else { throw EnvelopeError.authentication }
        let sequence = UInt32(index + 1)
        let prefix = isFinal ? Self.finalPrefix : Self.regularPrefix
        let content = frame.count - prefix - AlgorithmSuite.tagBytes
        guard content >= 0, isFinal ? content <= frameBytes : content == frameBytes else {
            throw EnvelopeError.authentication
        }
        precondition(output.count >= content, "The buffer is too short for the frame's plaintext.")
        let nonceAt: Int
        if isFinal {
            guard frame.bigEndianUInt32(at: 0) == FrameLayout.finalMark, frame.bigEndianUInt32(at: 4) == sequence,
                Int(frame.bigEndianUInt32(at: 8 + AlgorithmSuite.nonceBytes)) == content
            else { throw EnvelopeError.authentication }
            nonceAt = 8
        } else {
            guard sequence != FrameLayout.finalMark, frame.bigEndianUInt32(at: 0) == sequence else {
                throw EnvelopeError.authentication
            }
            nonceAt = 4
        }
        let plaintext = UnsafeMutableRawBufferPointer(rebasing: output[..<content])
        try withNonceAndAssociatedData(
            sequence, bytes: content, text: isFinal ? Self.finalText : Self.regularText
        ) { nonce, associated in
            let written = UnsafeRawBufferPointer(rebasing: frame[nonceAt..<nonceAt + AlgorithmSuite.nonceBytes])
            guard !requiresDerivedNonces || written.elementsEqual(nonce) else { throw EnvelopeError.authentication }
            try cipher.open(
                UnsafeRawBufferPointer(rebasing: frame[prefix...]), nonce: written, associatedData: associated,
                into: plaintext)
        }
        return content
    }

    private static func writeNonce(_ sequence: UInt32, to output: UnsafeMutableRawBufferPointer, at offset: Int) {
        output.store(bigEndian: 0, at: offset)
        output.store(bigEndian: 0, at: offset + 4)
        output.store(bigEndian: sequence, at: offset + 8)
    }

    /// Nonce and associated data on the stack: frames are many.
    func withNonceAndAssociatedData(
        _ sequence: UInt32, bytes: Int, text: [UInt8],
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let nonceBytes = AlgorithmSuite.nonceBytes
        let total = nonceBytes + messageID.count + text.count + 4 + 8
        try withUnsafeTemporaryAllocation(byteCount: total, alignment: 8) { scratch in
            Self.writeNonce(sequence, to: scratch, at: 0)
            scratch.copy(messageID, at: nonceBytes)
            scratch.copy(text, at: nonceBytes + messageID.count)
            let offset = nonceBytes + messageID.count + text.count
            scratch.store(bigEndian: sequence, at: offset)
            scratch.store(bigEndian: UInt32(truncatingIfNeeded: bytes >> 32), at: offset + 4)
            scratch.store(bigEndian: UInt32(truncatingIfNeeded: bytes), at: offset + 8)
            try body(
                UnsafeRawBufferPointer(rebasing: scratch[..<nonceBytes]), UnsafeRawBufferPointer(rebasing: scratch[nonceBytes...])
            )
        }
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func copy(_ bytes: [UInt8], at offset: Int) {
        bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: self[offset...]).copyMemory(from: $0) }
    }

    fileprivate func store(bigEndian value: UInt32, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
    }
}
