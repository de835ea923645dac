import FoundationEssentials
import Secrets

/// The replicas of one vault as a whole: what is written is written to all, what is read is read from the first that has it,
/// and what one says is destroyed is destroyed. All of it blocks.
struct VaultReplicas: Sendable {
    let vault: UUID
    let all: [VaultReplica]

    /// Finds the vault that the directories belong to. Makes it where none of them is marked yet, on the first start of all
    /// (`create`) or over the secrets of an authority from before marks. Later a directory without a mark is away.
    static func open(_ directories: [String], create: Bool) throws(VaultError) -> VaultReplicas {
        precondition(!directories.isEmpty, "A vault has at least one directory.")
        let replicas = directories.map { VaultReplica(directory: $0) }
        var vaults: Set<UUID> = []
        for replica in replicas {
            if let mark = try replica.mark() { vaults.insert(mark.vault) }
        }
        guard vaults.count <= 1 else {
            throw VaultError(.foreign, "The directories of the vault belong to different vaults.")
        }
        if let vault = vaults.first { return VaultReplicas(vault: vault, all: replicas) }
        let isOlder = replicas.contains { (try? $0.names().secrets.isEmpty) == false }
        guard create || isOlder else {
            throw VaultError(.away, "No directory of the vault is there, or none was ever made one: the bootstrap makes them.")
        }
        let vault = UUID()
        for (index, replica) in replicas.enumerated() {
            try replica.setMark(ReplicaMark(vault: vault, number: index + 1))
        }
        return VaultReplicas(vault: vault, all: replicas)
    }

    /// Throws `absent` for what no replica has, or one has a tombstone of; another code where a replica that may have it does
    /// not answer.
    func read(_ name: String) throws(VaultError) -> SharedSecret {
        var found: SharedSecret?
        var missing: [VaultReplica] = []
        var failure: VaultError?
        for replica in all {
            do throws(VaultError) {
                if try replica.hasTombstone(name) { throw VaultError.gone }
                if found == nil {
                    found = SharedSecret(try replica.read(name))
                } else if try !replica.hasSecret(name) {
                    throw VaultError.gone
                }
            } catch  where error.code == .absent {
                // A tombstone, or no file. Only a replica that is there can say either.
                if (try? replica.hasTombstone(name)) == true { throw error }
                if (try? replica.mark())?.vault == vault {
                    missing.append(replica)
                } else {
                    failure = VaultError(.away, "A replica of the vault is away.")
                }
            } catch {
                failure = error
            }
        }
        guard let found else { throw failure ?? .gone }
        for replica in missing { try supply(replica, name, found) }
        return found
    }

    /// Copies a secret to a replica that lacks it, unless it was destroyed meanwhile. A replica that takes nothing is left as it is.
    func supply(_ replica: VaultReplica, _ name: String, _ secret: SharedSecret) throws(VaultError) {
        guard let copy = try? secret.withUnsafeBytes({ SharedSecret(SecretBytes(copying: $0)) }) else { return }
        defer { copy.wipe() }
        do {
            try copy.withUnsafeBytes { try replica.create(name, SecretBytes(copying: $0)) }
        } catch {
            return
        }
        // Whoever destroys writes tombstones first and removes files then: either it removed this copy, or its tombstone shows.
        guard all.contains(where: { (try? $0.hasTombstone(name)) == true }) else { return }
        try replica.destroy(name)
        throw .gone
    }

    /// Puts a new secret into every replica, or into none.
    func create(_ name: String, _ secret: borrowing SecretBytes) throws(VaultError) {
        var there: [(number: Int, replica: VaultReplica)] = []
        for replica in all {
            there.append((try replica.requireMark(of: vault).number, replica))
            // Names are never used again.
            if try replica.hasTombstone(name) { throw .gone }
        }
        // In the same order everywhere: of several makers of one secret the first replica decides who was first.
        there.sort { $0.number < $1.number }
        var made: [VaultReplica] = []
        do throws(VaultError) {
            for entry in there {
                try Self.put(name, secret, into: entry.replica, isFirst: made.isEmpty)
                made.append(entry.replica)
            }
        } catch {
            for replica in made { try? replica.destroy(name) }
            throw error
        }
    }

    private static func put(
        _ name: String, _ secret: borrowing SecretBytes, into replica: VaultReplica, isFirst: Bool
    ) throws(VaultError) {
        do {
            try replica.create(name, secret)
        } catch  where error.code == .alreadyExists && !isFirst {
            // A reader repaired this replica before we came to it.
            guard try replica.read(name).constantTimeEquals(secret) else { throw error }
        }
    }

    /// Destroys a secret everywhere. Throws `pending` where a replica did not confirm: the secret is dead for everybody who
    /// reaches one that did, and the destruction has to be asked for again.
    func destroy(_ name: String) throws(VaultError) {
        var buried: [VaultReplica] = []
        var isComplete = true
        for replica in all {
            do {
                _ = try replica.requireMark(of: vault)
                try replica.bury(name)
                buried.append(replica)
            } catch {
                isComplete = false
            }
        }
        for replica in buried {
            do {
                try replica.destroy(name)
            } catch {
                isComplete = false
            }
        }
        guard isComplete else {
            throw VaultError(.pending, "Not every replica of the vault confirmed the destruction of a secret.")
        }
    }

    /// Takes back a secret under which nothing was sealed. No tombstone: there is nothing to remember.
    func discard(_ name: String) {
        for replica in all { try? replica.destroy(name) }
    }

    // MARK: State

    /// What the replicas that are there have noted, together.
    func state() throws(VaultError) -> SecurityState? {
        var state: SecurityState?
        for replica in all where (try? replica.mark())?.vault == vault {
            guard let noted = try replica.state() else { continue }
            state = state?.merged(with: noted) ?? noted
        }
        return state
    }

    /// Notes a state in every replica that is there; throws where none took it.
    func note(_ state: SecurityState) throws(VaultError) {
        var failure = VaultError(.away, "No replica of the vault is there.")
        var isNoted = false
        for replica in all {
            do {
                _ = try replica.requireMark(of: vault)
                try replica.note(state)
                isNoted = true
            } catch {
                failure = error
            }
        }
        guard isNoted else { throw failure }
    }
}
