package import Secrets

/// Data keys wrapped by a key that the caller holds (a key file): the raw AES keyring of the AWS Encryption SDKs.
///
/// Provider id = namespace. Provider info = key name · tag length in bits (4) · IV length (4) · IV (12). Ciphertext =
/// AES-256-GCM of the data key, then the tag; associated data = the serialised context.
/// Source: AWS Encryption SDK specification, "Raw AES Keyring".
package struct RawAESKeyring: DataKeyProvider {
    package let namespace: String
    package let name: String
    private let wrappingKey: any FrameCipher

    private static let tagBits: UInt32 = 128

    /// Throws `invalidInput` unless the key has 32 bytes and the namespace is not KMS's.
    package init(
        namespace: String, name: String, wrappingKey: SharedSecret, backend: any CipherBackend = BoringSSLBackend()
    ) throws {
        guard !namespace.utf8.starts(with: EncryptedDataKey.kmsProviderID.utf8) else {
            throw EnvelopeError.invalidInput("The key namespace of a raw key must not begin with aws-kms.")
        }
        self.namespace = namespace
        self.name = name
        self.wrappingKey = try wrappingKey.withUnsafeBytes { try backend.makeCipher(key: $0) }
    }

    /// Key name and the two lengths, which every key of this keyring's begins with.
    private var infoPrefix: [UInt8] {
        var info = Array(name.utf8)
        info.append(bigEndian: Self.tagBits)
        info.append(bigEndian: UInt32(AlgorithmSuite.nonceBytes))
        return info
    }

    package func generate(context: EncryptionContext) async throws -> GeneratedDataKey {
        let secret = SharedSecret(SecretBytes.random(count: AlgorithmSuite.keyBytes))
        return GeneratedDataKey(secret: secret, encrypted: [try wrap(secret, context: context)])
    }

    /// The data key under this keyring's key, for a message with several recipients.
    package func wrap(_ dataKey: SharedSecret, context: EncryptionContext) throws -> EncryptedDataKey {
        let associated = try EncryptionContextCodec.serialize(context)
        // One wrapping key serves many messages: its nonces are random.
        let nonce = randomBytes(AlgorithmSuite.nonceBytes)
        var ciphertext = [UInt8](repeating: 0, count: AlgorithmSuite.keyBytes + AlgorithmSuite.tagBytes)
        try dataKey.withUnsafeBytes { secret in
            try ciphertext.withUnsafeMutableBytes { ciphertext in
                try nonce.withUnsafeBytes { nonce in
                    try associated.withUnsafeBytes { associated in
                        try wrappingKey.seal(secret, nonce: nonce, associatedData: associated, into: ciphertext)
                    }
                }
            }
        }
        return EncryptedDataKey(providerID: namespace, providerInfo: infoPrefix + nonce, ciphertext: ciphertext)
    }

    package func open(_ keys: [EncryptedDataKey], context: EncryptionContext) async throws -> SharedSecret {
        let associated = try EncryptionContextCodec.serialize(context)
        for key in keys where fits(key) {
            do {
                return try unwrap(key, associated: associated)
            } catch let error as EnvelopeError where error == .authentication {
                // Another key of the same name; the next one may be ours.
            }
        }
        throw EnvelopeError.authentication
    }

    private func fits(_ key: EncryptedDataKey) -> Bool {
        key.providerID.utf8.elementsEqual(namespace.utf8)
            && key.providerInfo.count == infoPrefix.count + AlgorithmSuite.nonceBytes
            && key.providerInfo.starts(with: infoPrefix)
            && key.ciphertext.count == AlgorithmSuite.keyBytes + AlgorithmSuite.tagBytes
    }

    private func unwrap(_ key: EncryptedDataKey, associated: [UInt8]) throws -> SharedSecret {
        let nonce = Array(key.providerInfo.suffix(AlgorithmSuite.nonceBytes))
        return SharedSecret(
            try SecretBytes(count: AlgorithmSuite.keyBytes) { secret in
                try key.ciphertext.withUnsafeBytes { ciphertext in
                    try nonce.withUnsafeBytes { nonce in
                        try associated.withUnsafeBytes { associated in
                            try wrappingKey.open(ciphertext, nonce: nonce, associatedData: associated, into: secret)
                        }
                    }
                }
            })
    }
}
