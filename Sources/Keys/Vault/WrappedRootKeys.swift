package import Secrets

/// Opens and makes root keys that are kept wrapped, by a KMS elsewhere.
package protocol RootKeyWrapper: Sendable {
    /// A fresh key of 32 bytes, wrapped.
    func generate(version: Int) async throws -> [UInt8]
    func unwrap(_ wrapped: [UInt8], version: Int) async throws -> Secrets.SharedSecret
}

/// The root key in files that hold it wrapped: useless to whoever has them alone.
package struct WrappedRootKeys: RootKeySource {
    /// Blobs of KMS have at most 6,144 bytes.
    static let maximumBytes = 6144

    private let paths: RootKeyPaths
    private let wrapper: any RootKeyWrapper

    package init(file: String, wrapper: any RootKeyWrapper) {
        paths = RootKeyPaths(file: file)
        self.wrapper = wrapper
    }

    package func versions() async throws -> [Int] { try await VaultQueue.run { try paths.versions() } }

    package func read(_ version: Int) async throws -> Secrets.SharedSecret {
        let path = paths.path(version)
        guard let wrapped = try await VaultQueue.run({ try PlainFile.read(path) }) else { throw VaultError.gone }
        guard (1...Self.maximumBytes).contains(wrapped.count) else {
            throw VaultError(.unsafe, "A wrapped root key has 1 to \(Self.maximumBytes) bytes.")
        }
        let secret = try await wrapper.unwrap(wrapped, version: version)
        guard secret.count == Vault.secretBytes else {
            secret.wipe()
            throw VaultError(.unsafe, "A root key has \(Vault.secretBytes) bytes.")
        }
        return secret
    }

    package func make(_ version: Int) async throws {
        let wrapped = try await wrapper.generate(version: version)
        let path = paths.path(version)
        try await VaultQueue.run { try PlainFile.create(path, wrapped) }
    }

    package func destroy(_ version: Int) async throws {
        let path = paths.path(version)
        try await VaultQueue.run { try SecretFile.destroy(path) }
    }
}
