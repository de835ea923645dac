import FoundationEssentials

/// The pair of a signed message's context that holds the public key its signature verifies under: base64 of the
/// compressed point (SEC 1, 2.3.3).
///
/// The key is made for the one message and bound, as all of the context, to the data key: who cannot use the data key
/// cannot put another in its place.
enum PublicKeyPair {
    static func value(compressedPublicKey: [UInt8]) -> String { Data(compressedPublicKey).base64EncodedString() }

    /// The key of a context, or `nil` where the suite has no signature.
    ///
    /// Throws `malformed` unless the pair is there exactly where the suite asks for it, canonically encoded, and no other
    /// name of the format's is.
    static func read(_ context: EncryptionContext, suite: AlgorithmSuite) throws(ByteCursor.Failure) -> [UInt8]? {
        let reserved = context.keys.filter(EncryptionContextCodec.isReserved)
        guard let curve = suite.signatureCurve else {
            guard reserved.isEmpty else { throw .malformed }
            return nil
        }
        guard reserved == [EncryptionContextCodec.publicKeyName],
            let text = context[EncryptionContextCodec.publicKeyName], let key = Data(base64Encoded: text),
            key.count == curve.compressedPointBytes, key.base64EncodedString().utf8.elementsEqual(text.utf8)
        else { throw .malformed }
        return Array(key)
    }
}

extension SignatureCurve {
    /// Longest signature in DER: a sequence of two integers, each with a leading zero.
    var maximumSignatureBytes: Int { 2 + 2 * (2 + 1 + coordinateBytes) }

    /// Shortest encoding of two integers, so short that no genuine signature has it.
    static let minimumSignatureBytes = 8
}
