import Accounts
package import Secrets

/// Seals secrets of access keys and sessions with the vault: as key material is sealed, under one shred secret for all of them.
package struct VaultSealer: SecretSealer {
    /// Name of that shred secret; no key has a name with these letters, because ids of keys are UUIDs.
    static let shredName = "accounts"

    private let vault: Vault

    package init(vault: Vault) { self.vault = vault }

    package func seal(_ secret: Secrets.SharedSecret, label: String) async throws -> [UInt8] {
        let key = try vault.sealingKey(shred: try await vault.shredSecret(createdOnDemand: Self.shredName), info: Self.info)
        return try secret.withUnsafeBytes { try SealedBytes.seal($0, key: key, parts: [Array(label.utf8)]) }
    }

    package func open(_ sealed: [UInt8], label: String) async throws -> Secrets.SharedSecret {
        let key = try vault.sealingKey(shred: try await vault.shredSecret(named: Self.shredName), info: Self.info)
        return Secrets.SharedSecret(try SealedBytes.open(sealed, key: key, parts: [Array(label.utf8)]))
    }

    private static let info = Array("forecastle secret".utf8)
}
