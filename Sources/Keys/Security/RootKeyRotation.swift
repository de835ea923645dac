import AWSProtocol
package import Accounts
package import AuditTrail
import Postgres

/// Replaces the root key while authority processes serve.
///
/// A new version stands beside the old one, everything that is sealed is sealed anew in batches, then the old one is retired.
/// How far it came can be read off the rows: a run that was cut short is simply repeated, by whomever. Rules that make it safe:
/// processes open any version and seal under the one that the database calls current; the database takes nothing that is sealed
/// under a retired version.
package struct RootKeyRotation: Sendable {
    package static let rowsPerBatch = 200
    /// Processes hear of a new version within `SecurityGuard.interval`; sooner there is no use in retiring the old one.
    package static let settles: Duration = .seconds(3)
    /// How often rows are sealed anew before a run gives up: a writer may have sealed before it knew of the new version, and store
    /// what it sealed at any time until the old one is retired.
    static let passes = 10

    /// One run's doing.
    package struct Outcome: Sendable, Equatable {
        package var version = 0
        package var resealed = 0
        /// Materials of keys whose shred secret is destroyed: nobody can open them, under whatever root key.
        package var dead = 0
        package var retired: [Int] = []
    }

    let vault: Vault
    let trail: AuditTrail
    let identity: ServiceIdentity
    let pool: PostgresPool

    package init(guard security: SecurityGuard, trail: AuditTrail, identity: ServiceIdentity) {
        vault = security.vault
        pool = security.pool
        self.trail = trail
        self.identity = identity
    }

    package func versions() async throws -> [RootKeyVersion] {
        try await pool.withConnection { try await RootKeyRows.list(on: $0) }
    }

    /// Makes the next version where its source lets us, without using it: so that it can be brought to every host first.
    package func prepare() async throws -> Int {
        let next = try await next()
        // By an earlier run, or by whoever mounts it.
        if try await !vault.rootKeys.source.versions().contains(next) {
            do {
                try await vault.rootKeys.source.make(next)
            } catch let error as VaultError where error.code == .alreadyExists {
                // By somebody else just now.
            }
        }
        _ = try await vault.rootKeys.secret(next)
        return next
    }

    /// Everything: a new version, unless a rotation is under way; sealing anew; retiring.
    ///
    /// - Parameter settle: waits until processes know the new version.
    package func run(settle: () async throws -> Void, progress: (Int) async throws -> Void = { _ in }) async throws -> Outcome {
        let version: Int
        if try await versions().contains(where: { $0.state == .retiring }) {
            version = try await current()
        } else {
            version = try await begin(try await prepare())
        }
        try await vault.rootKeys.seal(under: version)
        var outcome = Outcome(version: version)
        outcome.resealed = try await resealAll(under: version, progress: progress)
        try await settle()
        for pass in 1... {
            // What processes sealed under the old version before they knew of the new one.
            outcome.resealed += try await resealAll(under: version, progress: progress)
            do {
                (outcome.retired, outcome.dead) = try await retireUnlessUsed(before: version)
                break
            } catch let error as RowsLeft where pass == Self.passes {
                throw error.refusal
            } catch is RowsLeft {}
        }
        return outcome
    }

    /// Rows are sealed under an older version, so that it cannot be retired yet.
    private struct RowsLeft: Error {
        let count: Int
        var refusal: SecurityError {
            SecurityError(
                .rotation,
                "\(count) rows are still sealed under an older version of the root key, which stays open; run the command again.")
        }
    }

    /// From here on processes seal under the new version.
    package func begin(_ version: Int) async throws -> Int {
        let previous = try await current()
        let fingerprint = try await vault.rootKeys.fingerprint(version)
        try await pool.transaction { connection in
            try await RootKeyRows.insertNext(version, fingerprint: fingerprint, after: previous, on: connection)
            try await trail.append(
                VaultTrail.record(
                    "RotateRootKey", account: identity.account, region: identity.region,
                    ["previousVersion": .int(Int64(previous)), "version": .int(Int64(version))]),
                on: connection)
        }
        return version
    }

    /// Removes a retired version from its source. A backup of the database from before the rotation cannot be opened then.
    package func destroySource(of version: Int) async throws {
        guard try await versions().contains(where: { $0.version == version && $0.state == .retired }) else {
            throw SecurityError(.rotation, "Version \(version) of the root key is not retired.")
        }
        try await vault.rootKeys.source.destroy(version)
    }

    private func current() async throws -> Int {
        guard let current = try await pool.withConnection({ try await RootKeyRows.current(on: $0) }) else {
            throw SecurityError(.rotation, "The database knows no version of the root key: start an authority on it first.")
        }
        return current
    }

    private func next() async throws -> Int {
        let known = try await versions()
        guard !known.contains(where: { $0.state == .retiring }) else {
            throw SecurityError(.rotation, "A rotation of the root key is under way: finish it first.")
        }
        guard let last = known.last?.version else {
            throw SecurityError(.rotation, "The database knows no version of the root key: start an authority on it first.")
        }
        return last + 1
    }

    /// Retires the versions before this one, or says how many rows need them still.
    package func retire(before version: Int) async throws -> (retired: [Int], dead: Int) {
        do {
            return try await retireUnlessUsed(before: version)
        } catch let error as RowsLeft {
            throw error.refusal
        }
    }

    /// In one transaction that no writer of sealed bytes overlaps: counts what is left, and retires where that is nothing.
    private func retireUnlessUsed(before version: Int) async throws -> (retired: [Int], dead: Int) {
        let dead = try await deadKeys(under: version)
        let retiring = try await versions().filter { $0.state == .retiring }.map(\.version)
        try await pool.transaction { connection in
            try await connection.execute("SET LOCAL lock_timeout = '10s'")
            let tables = (["key_materials"] + AccountsStore.sealedColumns.map(\.table)).joined(separator: ", ")
            try await connection.execute("LOCK TABLE \(raw: tables) IN SHARE ROW EXCLUSIVE MODE")
            let left = try await SealedRows.left(under: version, besides: dead, on: connection)
            guard left == 0 else { throw RowsLeft(count: left) }
            for old in retiring { try await RootKeyRows.retire(old, on: connection) }
            try await trail.append(
                VaultTrail.record(
                    "RetireRootKey", account: identity.account, region: identity.region,
                    ["versions": .array(retiring.map { .int(Int64($0)) }), "version": .int(Int64(version))]),
                on: connection)
        }
        return (retiring, dead.count)
    }

    /// Keys with older materials that open under nothing, because their shred secret is destroyed.
    private func deadKeys(under version: Int) async throws -> [String] {
        var dead: [String] = []
        for keyID in try await SealedRows.keysLeft(under: version, on: pool) {
            do {
                _ = try await vault.shredSecret(named: keyID)
            } catch let error as VaultError where error.code == .absent {
                dead.append(keyID)
            }
        }
        return dead
    }
}
