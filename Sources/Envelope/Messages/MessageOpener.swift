import Secrets

/// A message whose header was authenticated: frames are opened by number, from any thread.
package final class MessageOpener: Sendable, Wipeable {
    package let header: MessageHeader
    /// Takes the body's bytes in order, as they were read, and then verifies the footer; `nil` where the suite has no
    /// signature. It serves one pass over the message.
    package let signature: SignatureStream?
    let codec: FrameCodec
    let backend: any CipherBackend

    /// Checks policy and expectation, asks `provider` for the data key, compares the commitment, then verifies the header's
    /// tag. Throws `suiteRefused`, `authentication`, or the provider's refusal.
    package init(
        header: MessageHeader, provider: any DataKeyProvider, expecting expectation: MessageExpectation = .init(),
        policy: MessagePolicy = .requireCommitment, backend: any CipherBackend = BoringSSLBackend()
    ) async throws {
        // The header may have been parsed for a look at it, under a policy that allows more.
        try policy.check(header.suite)
        try expectation.check(header)
        signature = try header.suite.signatureCurve.map { curve in
            // Parsing saw to it that the key is there.
            try SignatureStream.verifying(curve, compressedPublicKey: header.compressedPublicKey ?? [], backend: backend)
        }
        let dataKey = try await provider.open(header.encryptedDataKeys, context: header.context)
        defer { dataKey.wipe() }
        let keys = try MessageKeys(
            dataKey: dataKey, suite: header.suite, messageID: header.messageID, backend: backend)
        // First of all: another key that happens to verify everything below would be a different message.
        guard constantTimeEquals(keys.commitment, header.commitment) else { throw EnvelopeError.authentication }
        try keys.verifyHeader(header)
        self.header = header
        self.backend = backend
        codec = FrameCodec(
            cipher: keys.cipher, messageID: header.messageID, frameBytes: header.frameBytes,
            requiresDerivedNonces: header.version != 1)
        signature?.update(header.serialized)
    }

    package func wipe() {
        codec.cipher.wipe()
        signature?.wipe()
    }

    /// Opens `frame`, which must be exactly frame `index` (from 0), into the front of `output`; answers the length of
    /// its plaintext. Throws `authentication`.
    package func openFrame(
        _ index: Int, _ frame: UnsafeRawBufferPointer, isFinal: Bool, into output: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        try codec.open(index, frame, isFinal: isFinal, into: output)
    }

    /// Opens consecutive frames of a message with a known layout, exactly the bytes `layout.messageRange(ofFrames:)`,
    /// into the front of `output`; answers the plaintext's length.
    package func openFrames(
        _ frames: Range<Int>, of layout: FrameLayout, _ bytes: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        guard bytes.count == layout.messageRange(ofFrames: frames).count else { throw EnvelopeError.authentication }
        var (taken, written) = (0, 0)
        for index in frames {
            let length = layout.sealedBytes(ofFrame: index)
            written += try openFrame(
                index, UnsafeRawBufferPointer(rebasing: bytes[taken..<taken + length]), isFinal: layout.isFinal(index),
                into: UnsafeMutableRawBufferPointer(rebasing: output[written...]))
            taken += length
        }
        return written
    }

    /// A range of the plaintext out of the bytes of just the frames that hold it
    /// (`layout.messageRange(ofFrames: layout.frames(ofPlaintext: range))`).
    ///
    /// The layout is only as good as the length it was made from: a manifest pins it, or the final frame must have been
    /// opened as well (``verifyLength(_:finalFrame:)``). A signature is over the whole message and not looked at here.
    package func openRange(
        _ range: Range<Int>, of layout: FrameLayout, body: ArraySlice<UInt8>
    ) throws -> [UInt8] {
        guard layout.frameBytes == header.frameBytes, layout.headerBytes == header.byteCount else {
            throw EnvelopeError.authentication
        }
        let frames = layout.frames(ofPlaintext: range)
        var plaintext = try open(frames, of: layout, body)
        let skipped = frames.lowerBound * layout.frameBytes
        let wanted = range.lowerBound - skipped..<range.upperBound - skipped
        if wanted == 0..<plaintext.count { return plaintext }
        defer { Secrets.wipe(&plaintext) }
        return range.isEmpty ? [] : Array(plaintext[wanted])
    }

    /// Proves the length of a message that no manifest pins: its final frame must be where `layout` says.
    package func verifyLength(_ layout: FrameLayout, finalFrame: [UInt8]) throws {
        var plaintext = try open(layout.frameCount - 1..<layout.frameCount, of: layout, finalFrame[...])
        Secrets.wipe(&plaintext)
    }

    func open(_ frames: Range<Int>, of layout: FrameLayout, _ body: ArraySlice<UInt8>) throws -> [UInt8] {
        let bytes = frames.reduce(0) { $0 + layout.plaintextBytes(ofFrame: $1) }
        return try [UInt8](unsafeUninitializedCapacity: bytes) { buffer, initialized in
            let output = UnsafeMutableRawBufferPointer(buffer)
            do {
                initialized = try body.withUnsafeBytes { try openFrames(frames, of: layout, $0, into: output) }
            } catch {
                // Frames before the one that failed were genuine and go nowhere.
                Secrets.wipe(output)
                throw error
            }
        }
    }
}
