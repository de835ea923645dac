extension MessageHeader {
    package enum Parsed: Sendable {
        case header(MessageHeader)
        /// The header is longer than what is there: at least this many bytes from the message's start.
        case needs(totalBytes: Int)
    }

    /// Reads the header at the front of `bytes` and nothing behind it. No key is needed, nothing is authenticated.
    ///
    /// Throws `authentication` for bytes that no honest writer makes or that exceed `limits`, and `suiteRefused`
    /// for kinds of messages that are not opened here.
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
        let messageID = try cursor.take(messageIDBytes)
        let serializedContext = try cursor.takeLengthPrefixed()
        let context = try EncryptionContextCodec.parse(serializedContext)
        let keys = try readDataKeys(&cursor, limits: limits)
        let contentType = try cursor.takeUInt8()
        let frameBytes = try cursor.takeUInt32()
        guard contentType == framed else {
            guard contentType == 1, frameBytes == 0 else { throw ByteCursor.Failure.malformed }
            throw EnvelopeError.suiteRefused("The message is unframed; only framed messages are opened.")
        }
        guard frameBytes > 0, Int(frameBytes) <= limits.maximumFrameBytes else { throw ByteCursor.Failure.malformed }
        let commitment = try cursor.take(AlgorithmSuite.commitmentBytes)
        let bodyEnd = cursor.position
        let tag = try cursor.take(AlgorithmSuite.tagBytes)
        guard cursor.consumed <= limits.maximumHeaderBytes else { throw ByteCursor.Failure.malformed }
        return MessageHeader(
            suite: suite, messageID: Array(messageID), context: context, encryptedDataKeys: keys,
            frameBytes: Int(frameBytes), commitment: Array(commitment), tag: Array(tag),
            body: Array(bytes[bytes.startIndex..<bodyEnd]), serializedContext: Array(serializedContext))
    }

    private static func readSuite(_ cursor: inout ByteCursor) throws -> AlgorithmSuite {
        let version = try cursor.takeUInt8()
        if version == 1 {
            // Version 1: type `80`, then the suite. All of its suites lack key commitment.
            guard try cursor.takeUInt8() == 0x80 else { throw ByteCursor.Failure.malformed }
            let suite = AlgorithmSuite(rawValue: try cursor.takeUInt16())
            guard AlgorithmSuite.uncommitted.contains(suite.rawValue) else { throw ByteCursor.Failure.malformed }
            throw EnvelopeError.suiteRefused(
                "The message has suite \(suite), which does not commit to its key; such messages are refused.")
        }
        guard version == Self.version else { throw ByteCursor.Failure.malformed }
        let suite = AlgorithmSuite(rawValue: try cursor.takeUInt16())
        guard suite.isCommitting else { throw ByteCursor.Failure.malformed }
        guard suite == .committed else {
            throw EnvelopeError.suiteRefused("The message has suite \(suite) (signed), which is not opened here.")
        }
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
