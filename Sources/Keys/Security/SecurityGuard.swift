import FoundationEssentials
package import Logging
package import Postgres
import Synchronization

/// Holds database and vault together: refuses an older database at start, has the vault note every second how far the
/// database has come, and closes the vault for uses of keys while it cannot.
///
/// The vault's copy never runs ahead: it is written after the commits that it tells of.
package final class SecurityGuard: Sendable {
    /// How often the vault takes note, and so the end of the trail that a restored database could lack unnoticed.
    package static let interval: Duration = .seconds(1)
    package static let defaultClosesAfter: Duration = .seconds(10)

    let pool: PostgresPool
    let vault: Vault
    private let closesAfter: Duration
    private let logger: Logger
    private let last = Mutex<SecurityState?>(nil)

    /// - Parameter closesAfter: without a note for so long, keys are not used.
    package init(pool: PostgresPool, vault: Vault, closesAfter: Duration = defaultClosesAfter, logger: Logger) {
        self.pool = pool
        self.vault = vault
        self.closesAfter = closesAfter
        self.logger = logger
    }

    /// Whether the database is as far as the vault has noted. Changes nothing.
    package func verdict() async throws -> SecurityVerdict {
        // The vault first: what it has noted is in any database that is read later.
        guard let noted = try await vault.securityState() else { return .current }
        return try await pool.withConnection { connection in
            SecurityVerdict.compare(
                noted: noted, database: try await SecurityRows.read(on: connection).state,
                unknown: try await SecurityRows.unknown(noted.heads, on: connection))
        }
    }

    /// Must be the first thing that a process does with a database, before it writes anything. Throws where database, vault and
    /// root key do not belong together as they are.
    package func admit() async throws {
        let isBound = try await requireOwnVault()
        if case .behind(let findings) = try await verdict() {
            throw SecurityError(
                .behind,
                "The database is older than its vault: \(findings.prefix(3).joined(separator: "; "))."
                    + " Rights that were withdrawn since may be back. Put the newer database in place, or run "
                    + "`forecastle admin restore` to see what accepting this one does.")
        }
        if !isBound { try await pool.transaction { try await SecurityRows.bind(to: vault.id, on: $0) } }
        try await admitRootKeys()
        try await note()
    }

    /// Whether the database is bound to this vault; false where it is not bound yet.
    @discardableResult
    func requireOwnVault() async throws -> Bool {
        guard let bound = try await pool.withConnection({ try await SecurityRows.read(on: $0).vault }) else { return false }
        guard bound == vault.id else {
            throw SecurityError(
                .foreignVault,
                "The database belongs to another vault (\(bound.uuidString.lowercased())) than the directories hold "
                    + "(\(vault.id.uuidString.lowercased())): check authority.vault_directory and authority.postgres.")
        }
        return true
    }

    /// The current version seals from now on, and it is the one that this database knows under that number.
    func admitRootKeys() async throws {
        var versions = try await pool.withConnection { try await RootKeyRows.list(on: $0) }
        if versions.isEmpty {
            // A database from before versions, or an empty one.
            let version = try await SealedRows.latestVersion(on: pool) ?? vault.rootKeys.sealingVersion
            let fingerprint = try await vault.rootKeys.fingerprint(version)
            versions = try await pool.withConnection { connection in
                try await RootKeyRows.insertFirst(version, fingerprint: fingerprint, on: connection)
                return try await RootKeyRows.list(on: connection)
            }
        }
        for known in versions where known.state != .retired {
            guard try await vault.rootKeys.fingerprint(known.version) == known.fingerprint else {
                throw SecurityError(
                    .wrongRootKey,
                    "Version \(known.version) of the root key is not the one that this database was sealed with: "
                        + "check authority.root_key_file.")
            }
            if known.state == .current { try await vault.rootKeys.seal(under: known.version) }
        }
    }

    /// Has the vault note where the database is, and allows uses of keys for a while. To be called every `interval`, and once
    /// more at the end.
    package func note() async throws {
        let (state, bound, unfolded) = try await pool.withConnection { try await SecurityRows.read(on: $0) }
        guard bound == vault.id else {
            throw SecurityError(.foreignVault, "The database belongs to another vault now.")
        }
        let known = last.withLock { $0 }
        if let known, state.incarnation < known.incarnation || state.epoch < known.epoch || state.records < known.records {
            throw SecurityError(.wentBack, "The database went back while the authority ran.")
        }
        if state != known {
            try await vault.note(state)
            last.withLock { $0 = state }
        }
        vault.keepOpen(for: closesAfter)
        if unfolded > 0 { try await pool.transaction { try await SecurityRows.fold(on: $0) } }
        if let current = try await pool.withConnection({ try await RootKeyRows.current(on: $0) }) {
            try await vault.rootKeys.seal(under: current)
        }
    }

    /// Throws while keys are not used because the vault takes no notes.
    package func requireOpenVault() throws { try vault.requireOpen() }

    /// Notes until it is cancelled. A failure is logged once, and so is its end.
    package func run() async throws {
        var isFailing = false
        while !Task.isCancelled {
            do {
                try await note()
                if isFailing { logger.notice("the vault takes notes again") }
                isFailing = false
            } catch is CancellationError {
                return
            } catch {
                if !isFailing {
                    logger.error(
                        "the vault could not note the state of the database; keys will not be used until it can",
                        metadata: ["cause": "\(error)", "closes_after": "\(closesAfter)"])
                }
                isFailing = true
            }
            try await Task.sleep(for: Self.interval)
        }
    }
}
