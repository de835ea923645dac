package import AWSProtocol
package import Secrets

extension Vault {
    /// Seals a key's material for the database: under HKDF-SHA512(root key ‖ the key's shred secret, info
    /// `forecastle material` and the key's ARN), bound to key, material id and version.
    package func sealMaterial(_ material: borrowing SecretBytes, id: [UInt8], version: Int, of key: ARN) async throws -> [UInt8] {
        let sealingKey = try sealingKey(shred: try await shredSecret(named: key.resourceName), info: Self.info(key))
        return try material.withUnsafeBytes {
            try SealedBytes.seal($0, key: sealingKey, parts: Self.parts(key, id, version))
        }
    }

    /// Throws `absent` once the key's shred secret is destroyed.
    package func openMaterial(_ sealed: [UInt8], id: [UInt8], version: Int, of key: ARN) async throws -> KeyMaterial {
        let sealingKey = try sealingKey(shred: try await shredSecret(named: key.resourceName), info: Self.info(key))
        return KeyMaterial(
            keyARN: key, materialID: id,
            secret: try SealedBytes.open(sealed, key: sealingKey, parts: Self.parts(key, id, version)))
    }

    private static func info(_ key: ARN) -> [UInt8] {
        Array("forecastle material".utf8) + Array(key.description.utf8)
    }

    private static func parts(_ key: ARN, _ id: [UInt8], _ version: Int) -> [[UInt8]] {
        [Array(key.description.utf8), id, withUnsafeBytes(of: UInt32(version).bigEndian) { Array($0) }]
    }
}
