package import Secrets

package import struct FoundationEssentials.UUID

/// What one directory of a vault looks like, for `doctor`.
package struct ReplicaReport: Sendable, Equatable {
    package enum State: String, Sendable {
        case there, away, readOnly = "cannot be written", foreign = "belongs to another vault", unreadable = "cannot be read"
    }

    package var directory: String
    package var state: State
    package var vault: UUID?
    package var number: Int?
    package var secrets = 0
    package var tombstones = 0
    package var noted: SecurityState?
}

/// What an upkeep did.
package struct VaultRepair: Sendable, Equatable {
    package var added = 0
    package var copied = 0
    package var buried = 0
    package var destroyed = 0
}

extension Vault {
    /// Looks at directories without a root key and without changing anything but a file that is removed again.
    package static func inspect(_ directories: [String]) async throws -> [ReplicaReport] {
        try await VaultQueue.run {
            let first = directories.lazy.compactMap { try? VaultReplica(directory: $0).mark() }.first
            return directories.map { directory in
                let replica = VaultReplica(directory: directory)
                var report = ReplicaReport(directory: directory, state: .there)
                do {
                    guard let mark = try replica.mark() else {
                        report.state = .away
                        return report
                    }
                    (report.vault, report.number) = (mark.vault, mark.number)
                    let names = try replica.names()
                    (report.secrets, report.tombstones) = (names.secrets.count, names.tombstones.count)
                    report.noted = try replica.state()
                    if mark.vault != first?.vault {
                        report.state = .foreign
                    } else if !replica.isWritable {
                        report.state = .readOnly
                    }
                } catch {
                    report.state = .unreadable
                }
                return report
            }
        }
    }

    /// Names of everything that was destroyed, as far as a replica that is there knows.
    func tombstones() async throws -> [String] {
        try await VaultQueue.run { [replicas] in
            var names: Set<String> = []
            for replica in replicas.all where (try? replica.mark())?.vault == replicas.vault {
                names.formUnion(try replica.names().tombstones)
            }
            return names.sorted()
        }
    }

    /// Copies a secret that was read before to every replica that lacks it. Throws `absent`, and leaves no copy, where it was
    /// destroyed since.
    package func supply(_ secret: Secrets.SharedSecret, named name: String) async throws {
        try await VaultQueue.run { [replicas] in
            for replica in replicas.all { try replicas.supply(replica, name, secret) }
        }
    }

    /// Brings every replica that is there to the same state: destroys what any has a tombstone of, copies what one lacks.
    ///
    /// - Parameter adding: makes directories without a mark replicas of this vault.
    package func repair(adding: Bool = false) async throws -> VaultRepair {
        try await VaultQueue.run { [replicas] in try replicas.repair(adding: adding) }
    }
}

extension VaultReplicas {
    func repair(adding: Bool) throws(VaultError) -> VaultRepair {
        var repair = VaultRepair()
        if adding {
            var number = 0
            for replica in all { number = max(number, try replica.mark()?.number ?? 0) }
            for replica in all {
                guard try replica.mark() == nil else { continue }
                number += 1
                try replica.setMark(ReplicaMark(vault: vault, number: number))
                repair.added += 1
            }
        }
        var there: [(replica: VaultReplica, secrets: Set<String>, tombstones: Set<String>)] = []
        for replica in all {
            guard let mark = try? replica.mark(), mark.vault == vault else { continue }
            let names = try replica.names()
            there.append((replica, names.secrets, names.tombstones))
        }
        let tombstones = there.reduce(into: Set<String>()) { $0.formUnion($1.tombstones) }
        let secrets = there.reduce(into: Set<String>()) { $0.formUnion($1.secrets) }
        // Tombstones first, everywhere: nothing that is dead is copied.
        for entry in there {
            for name in tombstones.subtracting(entry.tombstones) {
                try entry.replica.bury(name)
                repair.buried += 1
            }
        }
        for entry in there {
            for name in entry.secrets.intersection(tombstones) {
                try entry.replica.destroy(name)
                repair.destroyed += 1
            }
        }
        for name in secrets.subtracting(tombstones) {
            let lacking = there.count { !$0.secrets.contains(name) }
            guard lacking > 0 else { continue }
            // Reading repairs.
            try read(name).wipe()
            repair.copied += lacking
        }
        return repair
    }
}
