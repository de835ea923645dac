import Accounts
package import Secrets

/// Seals secrets of access keys and sessions with the vault: as key material is sealed, under one shred secret for all of them.
package struct VaultSealer: SecretSealer {
    /// Name of that shred secret; no key has a name with these letters, because ids of keys are UUIDs.
    static let shredName = "accounts"

    private let vault: Vault

    package init(vault: Vault) { self.vault = vault }

    package func seal(_ secret: Secrets.SharedSecret, label: String) async throws -> [UInt8] {
        try await vault.seal(
            secret, shred: try await vault.shredSecret(createdOnDemand: Self.shredName), info: Self.info,
            parts: [Array(label.utf8)])
    }

    package func open(_ sealed: [UInt8], label: String) async throws -> Secrets.SharedSecret {
        Secrets.SharedSecret(
            try await vault.open(
                sealed, shred: try await vault.shredSecret(named: Self.shredName), info: Self.info, parts: [Array(label.utf8)]))
    }

    /// The same secret, sealed under another version of the root key.
    func reseal(_ sealed: [UInt8], label: String, under rootKey: Int) async throws -> [UInt8] {
        let secret = try await open(sealed, label: label)
        defer { secret.wipe() }
        return try await vault.seal(
            secret, shred: try await vault.shredSecret(named: Self.shredName), info: Self.info, parts: [Array(label.utf8)],
            under: rootKey)
    }

    private static let info = Array("forecastle secret".utf8)
}
