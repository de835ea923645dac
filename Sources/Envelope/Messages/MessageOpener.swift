import Secrets

/// A message whose header was authenticated: frames are opened by number, from any thread.
package final class MessageOpener: Sendable, Wipeable {
    package let header: MessageHeader
    private let codec: FrameCodec

    /// Checks the expectation, asks `provider` for the data key, compares the commitment, then verifies the header's tag.
    /// Throws `authentication`, or the provider's refusal.
    package init(
        header: MessageHeader, provider: any DataKeyProvider, expecting expectation: MessageExpectation = .init(),
        backend: any CipherBackend = BoringSSLBackend()
    ) async throws {
        try expectation.check(header)
        let dataKey = try await provider.open(header.encryptedDataKeys, context: header.context)
        defer { dataKey.wipe() }
        let keys = try MessageKeys(
            dataKey: dataKey, suite: header.suite, messageID: header.messageID, backend: backend)
        // First of all: another key that happens to verify everything below would be a different message.
        guard constantTimeEquals(keys.commitment, header.commitment) else { throw EnvelopeError.authentication }
        try keys.verifyHeader(header)
        self.header = header
        codec = FrameCodec(cipher: keys.cipher, messageID: header.messageID, frameBytes: header.frameBytes)
    }

    package func wipe() { codec.cipher.wipe() }

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

    /// A whole message in memory, for what is small. Throws before a single byte is released.
    package static func openMessage(
        _ message: [UInt8], provider: any DataKeyProvider, expecting expectation: MessageExpectation = .init(),
        limits: MessageLimits = .standard, backend: any CipherBackend = BoringSSLBackend()
    ) async throws -> (plaintext: [UInt8], header: MessageHeader) {
        let header = try MessageHeader.parse(whole: message[...], limits: limits)
        let layout = try FrameLayout(
            headerBytes: header.byteCount, frameBytes: header.frameBytes, messageBytes: message.count)
        let opener = try await MessageOpener(
            header: header, provider: provider, expecting: expectation, backend: backend)
        defer { opener.wipe() }
        return (try opener.open(0..<layout.frameCount, of: layout, message[layout.headerBytes...]), header)
    }

    /// A range of the plaintext out of the bytes of just the frames that hold it
    /// (`layout.messageRange(ofFrames: layout.frames(ofPlaintext: range))`).
    ///
    /// The layout is only as good as the length it was made from: a manifest pins it, or the final frame must have been
    /// opened as well (``verifyLength(_:finalFrame:)``).
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

    private func open(_ frames: Range<Int>, of layout: FrameLayout, _ body: ArraySlice<UInt8>) throws -> [UInt8] {
        let bytes = frames.reduce(0) { $0 + layout.plaintextBytes(ofFrame: $1) }
        return try [UInt8](unsafeUninitializedCapacity: bytes) { buffer, initialized in
            let output = UnsafeMutableRawBufferPointer(buffer)
            initialized = try body.withUnsafeBytes { try openFrames(frames, of: layout, $0, into: output) }
        }
    }
}
