package import Secrets

/// Data keys wrapped by a key that the caller holds (a key file): the raw AES keyring of the AWS Encryption SDKs.
///
/// Provider id = namespace. Provider info = key name · tag length in bits (4) · IV length (4) · IV (12). Ciphertext =
/// AES-256-GCM of the data key, then the tag; associated data = the serialised context, the format's own pair included.
/// Source: AWS Encryption SDK specification, "Raw AES Keyring".
package struct RawAESKeyring: DataKeyProvider {
    package let namespace: String
    package let name: String
    private let wrappingKey: any FrameCipher
    private let backend: any CipherBackend

    private static let tagBits: UInt32 = 128
    /// Data keys of all suites. Whether one fits the message's suite is looked at when keys are derived from it.
    private static let dataKeyBytes: Set<Int> = [16, 24, 32]

    /// Throws `invalidInput` unless the key has 32 bytes and the namespace is not KMS's.
    package init(
        namespace: String, name: String, wrappingKey: SharedSecret, backend: any CipherBackend = BoringSSLBackend()
    ) throws {
        guard !namespace.utf8.starts(with: EncryptedDataKey.kmsProviderID.utf8) else {
            throw EnvelopeError.invalidInput("The key namespace of a raw key must not begin with aws-kms.")
        }
        self.namespace = namespace
        self.name = name
        self.backend = backend
        self.wrappingKey = try wrappingKey.withUnsafeBytes { key in
            // The cipher takes shorter keys as well, for messages of old suites.
            guard key.count == AlgorithmSuite.keyBytes else { throw EnvelopeError.invalidInput("A raw key has 32 bytes.") }
            return try backend.makeCipher(key: key)
        }
    }

    /// Key name and the two lengths, which every key of this keyring's begins with.
    private var infoPrefix: [UInt8] {
        var info = Array(name.utf8)
        info.append(bigEndian: Self.tagBits)
        info.append(bigEndian: UInt32(AlgorithmSuite.nonceBytes))
        return info
    }

    package func generate(context: EncryptionContext) async throws -> GeneratedDataKey {
        let secret = try backend.randomSecret(AlgorithmSuite.keyBytes)
        do {
            return GeneratedDataKey(secret: secret, encrypted: [try wrapKey(secret, context: context)])
        } catch {
            secret.wipe()
            throw error
        }
    }

    package func wrap(_ dataKey: SharedSecret, context: EncryptionContext) async throws -> [EncryptedDataKey] {
        [try wrapKey(dataKey, context: context)]
    }

    /// The data key under this keyring's key.
    package func wrapKey(_ dataKey: SharedSecret, context: EncryptionContext) throws -> EncryptedDataKey {
        let associated = try EncryptionContextCodec.serialize(whole: context)
        // One wrapping key serves many messages: its nonces are random.
        let nonce = try backend.randomBytes(AlgorithmSuite.nonceBytes)
        var ciphertext: [UInt8] = []
        try dataKey.withUnsafeBytes { secret in
            ciphertext = [UInt8](repeating: 0, count: secret.count + AlgorithmSuite.tagBytes)
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
        let associated = try EncryptionContextCodec.serialize(whole: context)
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
            && Self.dataKeyBytes.contains(key.ciphertext.count - AlgorithmSuite.tagBytes)
    }

    private func unwrap(_ key: EncryptedDataKey, associated: [UInt8]) throws -> SharedSecret {
        let nonce = Array(key.providerInfo.suffix(AlgorithmSuite.nonceBytes))
        return SharedSecret(
            try SecretBytes(count: key.ciphertext.count - AlgorithmSuite.tagBytes) { secret in
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
