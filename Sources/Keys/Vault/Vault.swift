import Crypto
import Dispatch
import Glibc
package import Secrets

/// Secrets that lie outside Postgres and its backups: the root key, and one shred secret for each key.
///
/// Material of a key opens only with both. Destroying the shred secret destroys the key for good, whatever copies of the
/// database there are. Layout: `root.key` where the configuration says, `<directory>/<name>.shred` for the others; each
/// 32 bytes, mode 0600.
package final class Vault: Sendable {
    package static let secretBytes = 32

    private let root: Secrets.SharedSecret
    private let directory: String

    /// Makes the directory (0700) where it is missing, and the root key on the first start.
    ///
    /// - Parameter createRootKey: only the bootstrap passes true. A missing root key must not be replaced by a fresh one
    ///   later: nothing sealed before would open.
    package static func open(directory: String, rootKeyFile: String, createRootKey: Bool) async throws -> Vault {
        try await VaultQueue.run {
            if mkdir(directory, 0o700) != 0, errno != EEXIST { throw VaultError.system("mkdir", errno) }
            if createRootKey {
                do {
                    try SecretFile.create(rootKeyFile, SecretBytes.random(count: secretBytes))
                } catch let error as VaultError where error.code == .alreadyExists {
                    // Not the first start after all.
                }
            }
            return Vault(root: Secrets.SharedSecret(try SecretFile.read(rootKeyFile, count: secretBytes)), directory: directory)
        }
    }

    private init(root: Secrets.SharedSecret, directory: String) {
        self.root = root
        self.directory = directory
    }

    /// Draws the shred secret of a new key and puts it on disk.
    package func createShredSecret(named name: String) async throws {
        let path = path(name)
        try await VaultQueue.run { try SecretFile.create(path, SecretBytes.random(count: Self.secretBytes)) }
    }

    /// Read anew for every use: another authority may have destroyed it. 32 bytes from the page cache cost little.
    package func shredSecret(named name: String) async throws -> Secrets.SharedSecret {
        let path = path(name)
        return try await VaultQueue.run { Secrets.SharedSecret(try SecretFile.read(path, count: Self.secretBytes)) }
    }

    /// The shred secret of that name, drawn now if there is none; for what is sealed but belongs to no key.
    package func shredSecret(createdOnDemand name: String) async throws -> Secrets.SharedSecret {
        do {
            return try await shredSecret(named: name)
        } catch let error as VaultError where error.code == .absent {
            do {
                try await createShredSecret(named: name)
            } catch let error as VaultError where error.code == .alreadyExists {
                // Somebody else was first; theirs counts.
            }
            return try await shredSecret(named: name)
        }
    }

    /// After this returns, nothing that was sealed under the name opens again.
    package func destroyShredSecret(named name: String) async throws {
        let path = path(name)
        try await VaultQueue.run { try SecretFile.destroy(path) }
    }

    /// HKDF-SHA512 over root key ‖ shred secret; 32 bytes.
    func sealingKey(shred: Secrets.SharedSecret, info: [UInt8]) throws -> SymmetricKey {
        try root.withUnsafeBytes { root in
            try shred.withUnsafeBytes { shred in
                let both = SecretBytes(count: root.count + shred.count) { target in
                    target.copyMemory(from: root)
                    UnsafeMutableRawBufferPointer(rebasing: target[root.count...]).copyMemory(from: shred)
                }
                return both.withUnsafeBytes { Self.derive($0, info: info) }
            }
        }
    }

    /// A key from the root key alone, for what needs no destroying: authenticating grant tokens.
    func rootDerivedKey(info: [UInt8]) throws -> SymmetricKey {
        try root.withUnsafeBytes { Self.derive($0, info: info) }
    }

    private static func derive(_ secret: UnsafeRawBufferPointer, info: [UInt8]) -> SymmetricKey {
        HKDF<SHA512>.deriveKey(inputKeyMaterial: SymmetricKey(data: secret), info: info, outputByteCount: 32)
    }

    private func path(_ name: String) -> String {
        precondition(KeyReference.isKeyID(name), "A shred secret's name is a key id: it becomes the name of a file.")
        return directory + "/" + name + ".shred"
    }
}

/// Where the vault's blocking calls run, so that a slow disk does not hold up the cooperative pool.
enum VaultQueue {
    private static let queue = DispatchQueue(label: "forecastle.vault", attributes: .concurrent)

    static func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }
}
