extension MessageHeader {
    package enum Parsed: Sendable {
        case header(MessageHeader)
        /// The header is longer than what is there: at least this many bytes from the message's start.
        case needs(totalBytes: Int)
    }

    /// Reads the header at the front of `bytes` and nothing behind it. No key is needed, nothing is authenticated.
    ///
    /// Throws `authentication` for bytes that no honest writer makes or that exceed `limits`, and `suiteRefused`
    /// for suites that the limits' policy does not allow.
    package static func parse(
        _ bytes: ArraySlice<UInt8>, limits: MessageLimits = .standard
    ) throws(EnvelopeError) -> Parsed {
        do {
            return .header(try read(bytes, limits: limits))
        } catch let failure as ByteCursor.Failure {
            if case .needs(let total) = failure, total <= limits.maximumHeaderBytes { return .needs(totalBytes: total) }
            throw .authentication
        } catch let refusal as EnvelopeError {
            throw refusal
        } catch {
            throw .authentication
        }
    }

    /// The header of a message that is there as a whole.
    package static func parse(
        whole message: ArraySlice<UInt8>, limits: MessageLimits = .standard
    ) throws(EnvelopeError) -> MessageHeader {
        guard case .header(let header) = try parse(message, limits: limits) else { throw .authentication }
        return header
    }

    private static func read(_ bytes: ArraySlice<UInt8>, limits: MessageLimits) throws -> MessageHeader {
        var cursor = ByteCursor(bytes)
        let suite = try readSuite(&cursor)
        try limits.policy.check(suite)
        let messageID = try cursor.take(suite.messageIDBytes)
        let serializedContext = try cursor.takeLengthPrefixed()
        let context = try EncryptionContextCodec.parse(serializedContext)
        let publicKey = try PublicKeyPair.read(context, suite: suite)
        let keys = try readDataKeys(&cursor, limits: limits)
        guard let contentType = ContentType(rawValue: try cursor.takeUInt8()) else { throw ByteCursor.Failure.malformed }
        if suite.messageVersion == 1 {
            // Reserved, formerly a length, then the length of all IVs.
            guard try cursor.takeUInt32() == 0, try cursor.takeUInt8() == AlgorithmSuite.nonceBytes else {
                throw ByteCursor.Failure.malformed
            }
        }
        let frameBytes = Int(try cursor.takeUInt32())
        switch contentType {
        case .framed:
            guard (1...limits.maximumFrameBytes).contains(frameBytes) else { throw ByteCursor.Failure.malformed }
        case .unframed:
            guard frameBytes == 0 else { throw ByteCursor.Failure.malformed }
        }
        let commitment = try cursor.take(suite.isCommitting ? AlgorithmSuite.commitmentBytes : 0)
        let bodyEnd = cursor.position
        let nonce = suite.messageVersion == 1 ? Array(try cursor.take(AlgorithmSuite.nonceBytes)) : zeroNonce
        let tag = try cursor.take(AlgorithmSuite.tagBytes)
        guard cursor.consumed <= limits.maximumHeaderBytes else { throw ByteCursor.Failure.malformed }
        return MessageHeader(
            suite: suite, messageID: Array(messageID), context: context, encryptedDataKeys: keys,
            contentType: contentType, frameBytes: frameBytes, commitment: Array(commitment), nonce: nonce, tag: Array(tag),
            compressedPublicKey: publicKey, body: Array(bytes[bytes.startIndex..<bodyEnd]),
            serializedContext: Array(serializedContext))
    }

    /// Version and suite must belong together.
    private static func readSuite(_ cursor: inout ByteCursor) throws -> AlgorithmSuite {
        let version = try cursor.takeUInt8()
        guard version == 1 || version == 2 else { throw ByteCursor.Failure.malformed }
        if version == 1 {
            guard try cursor.takeUInt8() == messageType else { throw ByteCursor.Failure.malformed }
        }
        let suite = AlgorithmSuite(rawValue: try cursor.takeUInt16())
        guard suite.isKnown, suite.messageVersion == version else { throw ByteCursor.Failure.malformed }
        return suite
    }

    private static func readDataKeys(
        _ cursor: inout ByteCursor, limits: MessageLimits
    ) throws -> [EncryptedDataKey] {
        let count = Int(try cursor.takeUInt16())
        guard count > 0, count <= limits.maximumDataKeys else { throw ByteCursor.Failure.malformed }
        var keys: [EncryptedDataKey] = []
        for _ in 0..<count {
            let provider = try cursor.takeLengthPrefixed()
            let info = try cursor.takeLengthPrefixed()
            let ciphertext = try cursor.takeLengthPrefixed()
            guard let providerID = String(validating: provider, as: UTF8.self) else { throw ByteCursor.Failure.malformed }
            keys.append(
                EncryptedDataKey(providerID: providerID, providerInfo: Array(info), ciphertext: Array(ciphertext)))
        }
        return keys
    }
}
