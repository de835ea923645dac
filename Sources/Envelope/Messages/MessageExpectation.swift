/// What a message must be before any key is asked for: a chunk of another artifact, of an older attempt or under
/// somebody else's key is turned away without a call to KMS. `nil` asks nothing.
package struct MessageExpectation: Sendable, Equatable {
    package var suite: AlgorithmSuite?
    /// All of the context that is its author's, exactly; the pair that a signed suite adds is the format's.
    package var context: EncryptionContext?
    /// Pairs that the context must hold among others.
    package var requiredContext: EncryptionContext = [:]
    package var frameBytes: Int?
    /// The message has exactly one data key, of KMS, under exactly this key ARN.
    package var kmsKeyARN: String?
    /// SHA-256 of header body and tag.
    package var headerDigest: [UInt8]?

    package init(
        suite: AlgorithmSuite? = nil, context: EncryptionContext? = nil, requiredContext: EncryptionContext = [:],
        frameBytes: Int? = nil, kmsKeyARN: String? = nil, headerDigest: [UInt8]? = nil
    ) {
        self.suite = suite
        self.context = context
        self.requiredContext = requiredContext
        self.frameBytes = frameBytes
        self.kmsKeyARN = kmsKeyARN
        self.headerDigest = headerDigest
    }

    /// Throws `authentication` unless the header is as expected.
    package func check(_ header: MessageHeader) throws(EnvelopeError) {
        let fits =
            (suite == nil || suite == header.suite)
            && (frameBytes == nil || frameBytes == header.frameBytes)
            && (headerDigest == nil || headerDigest == header.digest)
        guard fits else { throw .authentication }
        if let context {
            let held = try EncryptionContextCodec.serialize(whole: header.callersContext)
            guard try EncryptionContextCodec.serialize(context) == held else { throw .authentication }
        }
        for (name, value) in requiredContext {
            guard let held = header.context[name], held.utf8.elementsEqual(value.utf8) else { throw .authentication }
        }
        if let kmsKeyARN {
            guard header.encryptedDataKeys.count == 1, let key = header.encryptedDataKeys.first,
                key.providerID == EncryptedDataKey.kmsProviderID, key.providerInfo.elementsEqual(kmsKeyARN.utf8)
            else { throw .authentication }
        }
    }
}
