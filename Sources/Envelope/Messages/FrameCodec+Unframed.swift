/// Body of an unframed message: IV (12) · content length (8) · ciphertext · tag (16). Nobody writes them any more.
///
/// Associated data as of a frame with the number 1. Source: AWS Encryption SDK specification, "Message Body", un-framed data.
enum UnframedBody {
    static let prefixBytes = AlgorithmSuite.nonceBytes + 8
    static let overheadBytes = prefixBytes + AlgorithmSuite.tagBytes

    /// The content's length from the front of a body. Throws `authentication` where the front is cut short or the length
    /// cannot be.
    static func contentBytes(_ body: UnsafeRawBufferPointer) throws(EnvelopeError) -> Int {
        guard body.count >= prefixBytes else { throw .authentication }
        let high = UInt64(body.bigEndianUInt32(at: AlgorithmSuite.nonceBytes))
        let low = UInt64(body.bigEndianUInt32(at: AlgorithmSuite.nonceBytes + 4))
        guard let bytes = Int(exactly: high << 32 | low), bytes <= maximumBytes else { throw .authentication }
        return bytes
    }

    /// What AES-GCM can seal in one piece.
    private static let maximumBytes = (1 << 36) - 32

    static func checkBound(_ contentBytes: Int, _ limits: MessageLimits) throws(EnvelopeError) {
        guard contentBytes <= limits.maximumUnframedBytes else {
            throw .tooLarge(
                "The message is unframed and holds \(contentBytes) bytes; at most \(limits.maximumUnframedBytes) are opened, "
                    + "since they are held in memory until their tag is verified.")
        }
    }
}

extension FrameCodec {
    private static let singleBlockText = Array("AWSKMSEncryptionClient Single Block".utf8)

    /// Verifies a body that is exactly `body` and writes its content into the front of `output`. Throws `authentication`;
    /// then nothing was written.
    func openUnframed(_ body: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws {
        let bytes = try UnframedBody.contentBytes(body)
        guard body.count - UnframedBody.overheadBytes == bytes else { throw EnvelopeError.authentication }
        precondition(output.count >= bytes, "The buffer is too short for the content.")
        let plaintext = UnsafeMutableRawBufferPointer(rebasing: output[..<bytes])
        try withNonceAndAssociatedData(1, bytes: bytes, text: Self.singleBlockText) { nonce, associated in
            let written = UnsafeRawBufferPointer(rebasing: body[..<AlgorithmSuite.nonceBytes])
            guard !requiresDerivedNonces || written.elementsEqual(nonce) else { throw EnvelopeError.authentication }
            try cipher.open(
                UnsafeRawBufferPointer(rebasing: body[UnframedBody.prefixBytes...]), nonce: written,
                associatedData: associated, into: plaintext)
        }
    }
}
