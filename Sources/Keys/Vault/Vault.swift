import Crypto
import Dispatch
package import Secrets
import Synchronization

package import struct FoundationEssentials.UUID

/// Secrets that lie outside Postgres and its backups: the root key, and one shred secret for each key.
///
/// Material of a key opens only with both. Destroying the shred secret, in every replica, destroys the key for good, whatever
/// copies of the database there are. The vault also notes how far the database has come (``SecurityState``).
package final class Vault: Sendable {
    package static let secretBytes = 32
    /// What grant tokens are authenticated with: independent of the root key, so that a rotation leaves them valid.
    private static let tokenSecretName = "grant-tokens"

    let replicas: VaultReplicas
    let rootKeys: RootKeys
    let tokenSecret: Secrets.SharedSecret
    /// Until when material may be used; nil where nobody watches.
    private let openUntil = Mutex<ContinuousClock.Instant?>(nil)

    /// - Parameter create: only the bootstrap passes true: it makes the root key and the replicas on the first start. A root key
    ///   that is missing later must not be replaced by a fresh one: nothing sealed before would open.
    package static func open(
        directories: [String], rootKeys source: any RootKeySource, create: Bool
    ) async throws -> Vault {
        if create, try await source.versions().isEmpty {
            do {
                try await source.make(1)
            } catch let error as VaultError where error.code == .alreadyExists {
                // Somebody else's first start; theirs counts.
            }
        }
        let rootKeys = try await RootKeys.open(source)
        let replicas = try await VaultQueue.run { try VaultReplicas.open(directories, create: create) }
        let tokens = try await secret(createdOnDemand: tokenSecretName, in: replicas)
        return Vault(replicas: replicas, rootKeys: rootKeys, tokenSecret: tokens)
    }

    /// A vault of one directory with its root key in a file.
    package static func open(directory: String, rootKeyFile: String, createRootKey: Bool) async throws -> Vault {
        try await open(directories: [directory], rootKeys: RootKeyFiles(file: rootKeyFile), create: createRootKey)
    }

    private init(replicas: VaultReplicas, rootKeys: RootKeys, tokenSecret: Secrets.SharedSecret) {
        self.replicas = replicas
        self.rootKeys = rootKeys
        self.tokenSecret = tokenSecret
    }

    package var id: UUID { replicas.vault }

    // MARK: Shred secrets

    /// Draws the shred secret of a new key and puts it on disk, in every replica or in none.
    package func createShredSecret(named name: String) async throws {
        try await VaultQueue.run { [replicas] in try replicas.create(name, SecretBytes.random(count: Self.secretBytes)) }
    }

    /// Read anew for every use: another authority may have destroyed it. 32 bytes from the page cache cost little.
    package func shredSecret(named name: String) async throws -> Secrets.SharedSecret {
        try await VaultQueue.run { [replicas] in try replicas.read(name) }
    }

    /// The shred secret of that name, drawn now if there is none; for what is sealed but belongs to no key.
    package func shredSecret(createdOnDemand name: String) async throws -> Secrets.SharedSecret {
        try await Self.secret(createdOnDemand: name, in: replicas)
    }

    private static func secret(
        createdOnDemand name: String, in replicas: VaultReplicas
    ) async throws -> Secrets.SharedSecret {
        try await VaultQueue.run {
            do {
                return try replicas.read(name)
            } catch let error as VaultError where error.code == .absent {
                do {
                    try replicas.create(name, SecretBytes.random(count: secretBytes))
                } catch let error as VaultError where error.code == .alreadyExists {
                    // Somebody else was first; theirs counts.
                }
                return try replicas.read(name)
            }
        }
    }

    /// After this returns, nothing that was sealed under the name opens again. Throws `pending` where a replica did not confirm:
    /// then it is to be asked for again.
    package func destroyShredSecret(named name: String) async throws {
        try await VaultQueue.run { [replicas] in try replicas.destroy(name) }
    }

    /// Takes back the secret of a key that never came to be.
    package func discardShredSecret(named name: String) async {
        try? await VaultQueue.run { [replicas] in replicas.discard(name) }
    }

    // MARK: State

    /// What the vault has noted of its database; nil before the first note.
    package func securityState() async throws -> SecurityState? {
        try await VaultQueue.run { [replicas] in try replicas.state() }
    }

    package func note(_ state: SecurityState) async throws {
        try await VaultQueue.run { [replicas] in try replicas.note(state) }
    }

    /// Allows the use of material for so long: whoever watches the vault says it anew, and stops when it cannot write.
    package func keepOpen(for duration: Duration) {
        openUntil.withLock { $0 = .now + duration }
    }

    func requireOpen() throws(VaultError) {
        guard let until = openUntil.withLock({ $0 }), until <= .now else { return }
        throw VaultError(.closed, "The vault does not take notes; keys are not used until it does.")
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
