import Secrets

/// What a message's data key gives: the cipher for header and frames, and the commitment that names this key.
///
/// Committing suites: HKDF-SHA512 with the message id as salt. Encryption key: info = suite (2) · `DERIVEKEY`. Commitment:
/// info = `COMMITKEY`. Others: HKDF with the suite's hash, no salt, info = suite (2) · message id; or the data key itself.
/// Source: AWS Encryption SDK specification, "Algorithm Suites", key derivation and commitment.
struct MessageKeys {
    let cipher: any FrameCipher
    /// Empty where the suite does not commit.
    let commitment: [UInt8]

    /// Throws `authentication` where the data key has not the suite's length.
    init(dataKey: SharedSecret, suite: AlgorithmSuite, messageID: [UInt8], backend: any CipherBackend) throws {
        var commitment = [UInt8](repeating: 0, count: suite.isCommitting ? AlgorithmSuite.commitmentBytes : 0)
        let key = try SecretBytes(count: suite.dataKeyBytes) { key in
            try dataKey.withUnsafeBytes { secret in
                guard secret.count == suite.dataKeyBytes else { throw EnvelopeError.authentication }
                guard let hash = suite.kdf else { return key.copyMemory(from: secret) }
                try commitment.withUnsafeMutableBytes { commitment in
                    try Self.derive(secret, suite, hash, messageID, key: key, commitment: commitment, backend)
                }
            }
        }
        cipher = try key.withUnsafeBytes { try backend.makeCipher(key: $0) }
        self.commitment = commitment
    }

    private static func derive(
        _ secret: UnsafeRawBufferPointer, _ suite: AlgorithmSuite, _ hash: HashAlgorithm, _ messageID: [UInt8],
        key: UnsafeMutableRawBufferPointer, commitment: UnsafeMutableRawBufferPointer, _ backend: any CipherBackend
    ) throws {
        var info: [UInt8] = []
        info.append(bigEndian: suite.rawValue)
        // No salt is a salt of zeroes as long as the hash (RFC 5869, 2.2).
        let salt = suite.isCommitting ? messageID : [UInt8](repeating: 0, count: hash.byteCount)
        var outputs = [(info: info + (suite.isCommitting ? Array("DERIVEKEY".utf8) : messageID), bytes: key)]
        if suite.isCommitting { outputs.append((Array("COMMITKEY".utf8), commitment)) }
        try salt.withUnsafeBytes { salt in
            try backend.deriveHKDF(hash, inputKey: secret, salt: salt, outputs: outputs)
        }
    }

    /// Tag over the header body: AES-GCM of nothing under a nonce of zeroes, which no frame has.
    func headerTag(over body: [UInt8]) throws -> [UInt8] {
        var tag = [UInt8](repeating: 0, count: AlgorithmSuite.tagBytes)
        try tag.withUnsafeMutableBytes { tag in
            try body.withUnsafeBytes { body in
                try MessageHeader.zeroNonce.withUnsafeBytes { nonce in
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
                try header.nonce.withUnsafeBytes { nonce in
                    try cipher.open(
                        tag, nonce: nonce, associatedData: body, into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
                }
            }
        }
    }
}
