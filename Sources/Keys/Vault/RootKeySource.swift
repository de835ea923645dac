import FoundationEssentials
package import Secrets

/// Where versions of the root key come from. Version 1 has the name that the configuration gives, version n that name and `.n`.
package protocol RootKeySource: Sendable {
    /// Versions that are there, rising.
    func versions() async throws -> [Int]
    /// 32 bytes; throws `absent` for a version that is not there.
    func read(_ version: Int) async throws -> Secrets.SharedSecret
    /// Makes a version that is not there yet; `alreadyExists` where it is.
    func make(_ version: Int) async throws
    /// Removes a version for good.
    func destroy(_ version: Int) async throws
}

/// The files of the versions, whatever they hold.
struct RootKeyPaths: Sendable {
    let file: String

    func path(_ version: Int) -> String { version == 1 ? file : "\(file).\(version)" }

    func versions() throws(VaultError) -> [Int] {
        var versions = try PlainFile.exists(file) ? [1] : []
        let slash = file.lastIndex(of: "/")
        let directory = slash.map { String(file[..<$0]) } ?? "."
        let prefix = (slash.map { String(file[file.index(after: $0)...]) } ?? file) + "."
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.isEmpty ? "/" : directory)) ?? []
        for name in names where name.hasPrefix(prefix) {
            guard let version = Int(name.dropFirst(prefix.count)), version > 1 else { continue }
            versions.append(version)
        }
        return versions.sorted()
    }
}

/// The root key in files of 32 bytes: of our own, or mounted by whoever runs the container.
package struct RootKeyFiles: RootKeySource {
    private let paths: RootKeyPaths
    private let isMounted: Bool

    package init(file: String, isMounted: Bool = false) {
        paths = RootKeyPaths(file: file)
        self.isMounted = isMounted
    }

    package func versions() async throws -> [Int] { try await VaultQueue.run { try paths.versions() } }

    package func read(_ version: Int) async throws -> Secrets.SharedSecret {
        let path = paths.path(version)
        let rule: SecretFile.Rule = isMounted ? .mounted : .own
        return try await VaultQueue.run {
            Secrets.SharedSecret(try SecretFile.read(path, count: Vault.secretBytes, rule: rule))
        }
    }

    package func make(_ version: Int) async throws {
        guard !isMounted else {
            throw VaultError(
                .absent, "Version \(version) of the root key is not there: mounted secrets are made by whoever mounts them.")
        }
        let path = paths.path(version)
        try await VaultQueue.run { try SecretFile.create(path, SecretBytes.random(count: Vault.secretBytes)) }
    }

    package func destroy(_ version: Int) async throws {
        guard !isMounted else {
            throw VaultError(.unsafe, "A mounted secret is removed by whoever mounts it.")
        }
        let path = paths.path(version)
        try await VaultQueue.run { try SecretFile.destroy(path) }
    }
}
