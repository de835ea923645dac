import Secrets

/// What a message's data key gives: the cipher for header and frames, and the commitment that names this key.
///
/// HKDF-SHA512 with the message id as salt. Encryption key: info = suite (2) · `DERIVEKEY`. Commitment: info =
/// `COMMITKEY`. Source: AWS Encryption SDK specification, "Algorithm Suites", key derivation and commitment.
struct MessageKeys {
    let cipher: any FrameCipher
    let commitment: [UInt8]

    init(dataKey: SharedSecret, suite: AlgorithmSuite, messageID: [UInt8], backend: any CipherBackend) throws {
        var encryptionInfo: [UInt8] = []
        encryptionInfo.append(bigEndian: suite.rawValue)
        encryptionInfo += Array("DERIVEKEY".utf8)
        let commitmentInfo = Array("COMMITKEY".utf8)
        var commitment = [UInt8](repeating: 0, count: AlgorithmSuite.commitmentBytes)
        let key = try SecretBytes(count: AlgorithmSuite.keyBytes) { key in
            try commitment.withUnsafeMutableBytes { commitment in
                try messageID.withUnsafeBytes { salt in
                    try dataKey.withUnsafeBytes { secret in
                        guard secret.count == AlgorithmSuite.keyBytes else { throw EnvelopeError.authentication }
                        try backend.deriveHKDF(
                            .sha512, inputKey: secret, salt: salt,
                            outputs: [(encryptionInfo, key), (commitmentInfo, commitment)])
                    }
                }
            }
        }
        cipher = try key.withUnsafeBytes { try backend.makeCipher(key: $0) }
        self.commitment = commitment
    }

    private static let headerNonce = [UInt8](repeating: 0, count: AlgorithmSuite.nonceBytes)

    /// Tag over the header body: AES-GCM of nothing under a nonce of zeroes, which no frame has.
    func headerTag(over body: [UInt8]) throws -> [UInt8] {
        var tag = [UInt8](repeating: 0, count: AlgorithmSuite.tagBytes)
        try tag.withUnsafeMutableBytes { tag in
            try body.withUnsafeBytes { body in
                try Self.headerNonce.withUnsafeBytes { nonce in
                    try cipher.seal(UnsafeRawBufferPointer(start: nil, count: 0), nonce: nonce, associatedData: body, into: tag)
                }
            }
        }
        return tag
    }

    /// Throws `authentication` unless the tag is the one of this body.
    func verifyHeader(_ header: MessageHeader) throws {
        try header.tag.withUnsafeBytes { tag in
            try header.body.withUnsafeBytes { body in
                try Self.headerNonce.withUnsafeBytes { nonce in
                    try cipher.open(
                        tag, nonce: nonce, associatedData: body, into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
                }
            }
        }
    }
}
