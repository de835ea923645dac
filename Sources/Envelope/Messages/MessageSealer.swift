import Secrets

/// One message in the making: header first, then frames by number, from any thread.
///
/// Each number is sealed once, with one plaintext: a second plaintext under the same number would break the cipher.
/// Whoever starts again after a fault makes a new sealer, which has a new data key and message id.
package final class MessageSealer: Sendable, Wipeable {
    package static let standardFrameBytes = 64 << 10

    package let header: MessageHeader
    /// Takes the body's bytes in order and gives the footer; `nil` where the suite has no signature.
    package let signature: SignatureStream?
    package var frameBytes: Int { header.frameBytes }
    /// Length of the footer that ``signature`` will give.
    package var footerBytes: Int { FrameLayout.footerBytes(header.suite) }
    private let codec: FrameCodec

    /// Draws a message id, takes a data key from `provider` and makes the header. The data key is wiped once the
    /// message's own key is derived from it.
    ///
    /// A signed suite adds the pair `aws-crypto-public-key` to the context, which the data keys are bound to.
    package init(
        provider: any DataKeyProvider, context: EncryptionContext, suite: AlgorithmSuite = .committed,
        frameBytes: Int = standardFrameBytes, limits: MessageLimits = .standard,
        backend: any CipherBackend = BoringSSLBackend()
    ) async throws {
        guard suite.isCommitting else {
            throw EnvelopeError.invalidInput(
                "Messages are sealed with suites \(AlgorithmSuite.committed) and "
                    + "\(AlgorithmSuite.committedAndSigned) only.")
        }
        guard (1...limits.maximumFrameBytes).contains(frameBytes) else {
            throw EnvelopeError.invalidInput("A frame holds between 1 and \(limits.maximumFrameBytes) bytes.")
        }
        _ = try EncryptionContextCodec.serialize(context)
        var context = context
        var (signature, publicKey): (SignatureStream?, [UInt8]?) = (nil, nil)
        if let curve = suite.signatureCurve {
            let (stream, key) = try SignatureStream.signing(curve, backend: backend)
            context[EncryptionContextCodec.publicKeyName] = PublicKeyPair.value(compressedPublicKey: key)
            (signature, publicKey) = (stream, key)
        }
        let serializedContext = try EncryptionContextCodec.serialize(whole: context)
        let dataKey = try await provider.generate(context: context)
        defer { dataKey.secret.wipe() }
        let messageID = try backend.randomBytes(suite.messageIDBytes)
        let keys = try MessageKeys(dataKey: dataKey.secret, suite: suite, messageID: messageID, backend: backend)
        let body = try MessageHeader.makeBody(
            suite: suite, messageID: messageID, serializedContext: serializedContext, encryptedDataKeys: dataKey.encrypted,
            frameBytes: frameBytes, commitment: keys.commitment)
        header = MessageHeader(
            suite: suite, messageID: messageID, context: context, encryptedDataKeys: dataKey.encrypted,
            contentType: .framed, frameBytes: frameBytes, commitment: keys.commitment, nonce: MessageHeader.zeroNonce,
            tag: try keys.headerTag(over: body), compressedPublicKey: publicKey, body: body,
            serializedContext: serializedContext)
        codec = FrameCodec(cipher: keys.cipher, messageID: messageID, frameBytes: frameBytes)
        signature?.update(header.serialized)
        self.signature = signature
    }

    package func wipe() {
        codec.cipher.wipe()
        signature?.wipe()
    }

    /// Seals frame `index` (from 0) into the front of `output` and answers its length. All but the final frame are full.
    package func sealFrame(
        _ index: Int, _ plaintext: UnsafeRawBufferPointer, isFinal: Bool, into output: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        try codec.seal(index, plaintext, isFinal: isFinal, into: output)
    }

    /// Seals consecutive frames from `first` on, all of `plaintext`, into the front of `output`; answers their length.
    /// Only with `isFinal` may the last one be short (or the only one empty).
    package func sealFrames(
        from first: Int, _ plaintext: UnsafeRawBufferPointer, isFinal: Bool, into output: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        precondition(isFinal || plaintext.count % frameBytes == 0, "Every frame but the final one is full.")
        var (index, taken, written) = (first, 0, 0)
        while taken < plaintext.count || (isFinal && taken == 0 && index == first) {
            let end = min(taken + frameBytes, plaintext.count)
            written += try sealFrame(
                index, UnsafeRawBufferPointer(rebasing: plaintext[taken..<end]), isFinal: isFinal && end == plaintext.count,
                into: UnsafeMutableRawBufferPointer(rebasing: output[written...]))
            (index, taken) = (index + 1, end)
        }
        return written
    }

    /// Room that `sealFrames` may need for so much plaintext.
    package func sealedBytesBound(forPlaintext bytes: Int) -> Int {
        let frames = max(1, (bytes + frameBytes - 1) / frameBytes)
        return bytes + frames * FrameLayout.finalOverhead
    }

    /// Layout of the message for so much plaintext.
    package func layout(plaintextBytes: Int) throws(EnvelopeError) -> FrameLayout {
        try FrameLayout(
            headerBytes: header.byteCount, frameBytes: frameBytes, plaintextBytes: plaintextBytes, footerBytes: footerBytes)
    }

    /// A whole message in memory, for what is small.
    package static func sealMessage(
        _ plaintext: [UInt8], provider: any DataKeyProvider, context: EncryptionContext,
        suite: AlgorithmSuite = .committed, frameBytes: Int = standardFrameBytes,
        backend: any CipherBackend = BoringSSLBackend()
    ) async throws -> [UInt8] {
        let sealer = try await MessageSealer(
            provider: provider, context: context, suite: suite, frameBytes: frameBytes, backend: backend)
        defer { sealer.wipe() }
        let layout = try sealer.layout(plaintextBytes: plaintext.count)
        return try [UInt8](unsafeUninitializedCapacity: layout.messageBytes) { buffer, initialized in
            let output = UnsafeMutableRawBufferPointer(buffer)
            output.copyBytes(from: sealer.header.serialized)
            _ = try plaintext.withUnsafeBytes {
                try sealer.sealFrames(
                    from: 0, $0, isFinal: true, into: UnsafeMutableRawBufferPointer(rebasing: output[layout.headerBytes...]))
            }
            if let signature = sealer.signature {
                signature.update(UnsafeRawBufferPointer(rebasing: output[layout.headerBytes..<layout.footerOffset]))
                UnsafeMutableRawBufferPointer(rebasing: output[layout.footerOffset...]).copyBytes(from: try signature.footer())
            }
            initialized = layout.messageBytes
        }
    }
}
