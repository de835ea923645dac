import Crypto
import Secrets

extension Vault {
    /// Seals under HKDF-SHA512(root key ‖ shred secret, info), with the root key's version in front.
    func seal(
        _ secret: Secrets.SharedSecret, shred: Secrets.SharedSecret, info: [UInt8], parts: [[UInt8]], under version: Int? = nil
    ) async throws -> [UInt8] {
        let version = version ?? rootKeys.sealingVersion
        let key = try Self.sealingKey(root: try await rootKeys.secret(version), shred: shred, info: info)
        return try secret.withUnsafeBytes { try SealedBytes.seal($0, key: key, version: version, parts: parts) }
    }

    func open(
        _ sealed: [UInt8], shred: Secrets.SharedSecret, info: [UInt8], parts: [[UInt8]]
    ) async throws -> SecretBytes {
        let sealed = SealedBytes(sealed)
        let key = try Self.sealingKey(root: try await rootKeys.secret(sealed.version), shred: shred, info: info)
        return try sealed.open(key: key, parts: parts)
    }

    /// HKDF-SHA512 over root key ‖ shred secret; 32 bytes.
    private static func sealingKey(
        root: Secrets.SharedSecret, shred: Secrets.SharedSecret, info: [UInt8]
    ) throws -> SymmetricKey {
        try root.withUnsafeBytes { root in
            try shred.withUnsafeBytes { shred in
                let both = SecretBytes(count: root.count + shred.count) { target in
                    target.copyMemory(from: root)
                    UnsafeMutableRawBufferPointer(rebasing: target[root.count...]).copyMemory(from: shred)
                }
                return both.withUnsafeBytes { derive($0, info: info) }
            }
        }
    }

    /// Keys that authenticate grant tokens: of the vault's own secret, and of each root key that is open, for tokens from before.
    func tokenKeys() throws -> (current: SymmetricKey, older: [SymmetricKey]) {
        let info = Array("forecastle grant token".utf8)
        return (
            try tokenSecret.withUnsafeBytes { Self.derive($0, info: info) },
            try rootKeys.openSecrets.map { try $0.withUnsafeBytes { Self.derive($0, info: info) } }
        )
    }

    private static func derive(_ secret: UnsafeRawBufferPointer, info: [UInt8]) -> SymmetricKey {
        HKDF<SHA512>.deriveKey(inputKeyMaterial: SymmetricKey(data: secret), info: info, outputByteCount: 32)
    }
}
