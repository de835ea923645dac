package import AWSProtocol
package import Secrets

extension Vault {
    /// Seals a key's material for the database: under HKDF-SHA512(root key ‖ the key's shred secret, info
    /// `forecastle material` and the key's ARN), bound to key, material id and version.
    package func sealMaterial(_ material: borrowing SecretBytes, id: [UInt8], version: Int, of key: ARN) async throws -> [UInt8] {
        let copy = material.withUnsafeBytes { Secrets.SharedSecret(SecretBytes(copying: $0)) }
        defer { copy.wipe() }
        return try await seal(
            copy, shred: try await shredSecret(named: key.resourceName), info: Self.info(key), parts: Self.parts(key, id, version)
        )
    }

    /// Throws `absent` once the key's shred secret is destroyed, `closed` while the vault takes no notes.
    package func openMaterial(_ sealed: [UInt8], id: [UInt8], version: Int, of key: ARN) async throws -> KeyMaterial {
        try requireOpen()
        let secret = try await open(
            sealed, shred: try await shredSecret(named: key.resourceName), info: Self.info(key),
            parts: Self.parts(key, id, version))
        return KeyMaterial(keyARN: key, materialID: id, secret: secret)
    }

    /// The same material, sealed under another version of the root key.
    func resealMaterial(
        _ sealed: [UInt8], id: [UInt8], version: Int, of key: ARN, under rootKey: Int
    ) async throws -> [UInt8] {
        let shred = try await shredSecret(named: key.resourceName)
        let parts = Self.parts(key, id, version)
        let secret = Secrets.SharedSecret(try await open(sealed, shred: shred, info: Self.info(key), parts: parts))
        defer { secret.wipe() }
        return try await seal(secret, shred: shred, info: Self.info(key), parts: parts, under: rootKey)
    }

    private static func info(_ key: ARN) -> [UInt8] {
        Array("forecastle material".utf8) + Array(key.description.utf8)
    }

    private static func parts(_ key: ARN, _ id: [UInt8], _ version: Int) -> [[UInt8]] {
        [Array(key.description.utf8), id, withUnsafeBytes(of: UInt32(version).bigEndian) { Array($0) }]
    }
}
