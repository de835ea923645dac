import AWSProtocol
package import Accounts
package import AuditTrail
import Postgres

/// Accepts a database that is older than its vault: withdraws whatever could have been withdrawn since, until people reviewed it.
///
/// One transaction: after a crash either all of it holds or nothing. A second run finds a current database and does nothing.
package struct DatabaseRestore: Sendable {
    /// How much a restore would withdraw, or has.
    package struct Outcome: Sendable, Equatable {
        package var keysDisabled = 0
        /// Keys that were destroyed after the backup was made: they are tombstones again.
        package var keysBuried = 0
        package var grantsRevoked = 0
        package var accessKeysDeactivated = 0
        package var sessionsEnded = 0

        package init() {}
    }

    private static let statementTimeout = "600s"

    private let security: SecurityGuard
    private let identity: ServiceIdentity
    private var vault: Vault { security.vault }
    private var pool: PostgresPool { security.pool }

    package init(guard security: SecurityGuard, identity: ServiceIdentity) {
        self.security = security
        self.identity = identity
    }

    package func verdict() async throws -> SecurityVerdict { try await security.verdict() }

    /// What `accept` would change. Changes nothing.
    package func preview() async throws -> Outcome {
        let destroyed = try await destroyedKeys()
        return try await pool.withConnection { connection in
            let credentials = try await AccountsStore.countCredentials(on: connection)
            let rows = try await connection.query(
                """
                SELECT (SELECT count(*) FROM keys WHERE state = 'Enabled' AND NOT key_id = ANY (\(destroyed))) AS enabled,
                       (SELECT count(*) FROM keys WHERE state <> 'Deleted' AND key_id = ANY (\(destroyed))) AS destroyed,
                       (SELECT count(*) FROM key_grants) AS grants
                """)
            guard let row = rows.first else { return Outcome() }
            var outcome = Outcome()
            outcome.keysDisabled = try row.get("enabled")
            outcome.keysBuried = try row.get("destroyed")
            outcome.grantsRevoked = try row.get("grants")
            outcome.accessKeysDeactivated = credentials.accessKeys
            outcome.sessionsEnded = credentials.sessions
            return outcome
        }
    }

    /// Nil where the database is as far as its vault: then there is nothing to accept.
    ///
    /// - Parameter openTrail: starts this process's shard; not before it is clear that something is to be written.
    package func accept(openTrail: () async throws -> AuditTrail) async throws -> Outcome? {
        guard case .behind = try await verdict(), let noted = try await vault.securityState() else { return nil }
        try await security.requireOwnVault()
        // Of no use where nothing in it opens: a backup from before a rotation needs the root key of then.
        try await security.admitRootKeys()
        let destroyed = try await destroyedKeys()
        let trail = try await openTrail()
        let outcome = try await pool.transaction { connection in
            try await connection.execute("SELECT set_config('statement_timeout', \(Self.statementTimeout), true)")
            // Two at once: the second waits here, and finds its update below refused.
            _ = try await connection.query("SELECT 1 FROM security_state FOR UPDATE")
            var outcome = Outcome()
            (outcome.keysBuried, outcome.grantsRevoked, outcome.keysDisabled) = try await Self.withdrawKeys(
                destroyed, on: connection)
            let credentials = try await AccountsStore.withdrawCredentials(on: connection)
            outcome.accessKeysDeactivated = credentials.accessKeys
            outcome.sessionsEnded = credentials.sessions
            try await self.moveForward(past: noted, on: connection)
            try await trail.append(try await self.records(of: outcome, past: noted, on: connection), on: connection)
            return outcome
        }
        // The vault hears of it now; were we to crash before, the next start tells it.
        try await security.note()
        return outcome
    }

    private static func withdrawKeys(
        _ destroyed: [String], on connection: PostgresConnection
    ) async throws -> (buried: Int, grants: Int, disabled: Int) {
        let counts = try await connection.executePipeline([
            """
            UPDATE keys SET state = 'Deleted', deletion_at = clock_timestamp(), shredded_at = clock_timestamp()
            WHERE key_id = ANY (\(destroyed)) AND state <> 'Deleted'
            """,
            "DELETE FROM key_grants",
            "DELETE FROM key_aliases WHERE key_id = ANY (\(destroyed))",
            "DELETE FROM key_materials WHERE key_id = ANY (\(destroyed))",
            "UPDATE keys SET state = 'Disabled' WHERE state = 'Enabled'",
        ])
        return (counts[0], counts[1], counts[4])
    }

    /// The database is another one from now on: later than anything that the vault has noted.
    private func moveForward(past noted: SecurityState, on connection: PostgresConnection) async throws {
        try await connection.execute("DELETE FROM security_changes")
        let changed = try await connection.execute(
            """
            UPDATE security_state SET vault = \(vault.id), incarnation = \(Int32(noted.incarnation + 1)),
                   epoch = greatest(epoch, \(noted.epoch)) + 1
            WHERE incarnation <= \(Int32(noted.incarnation))
            """)
        guard changed == 1 else {
            throw SecurityError(.behind, "The database was accepted by somebody else meanwhile.")
        }
    }

    /// One record for each account, so that every customer finds it in a trail of their own.
    private func records(
        of outcome: Outcome, past noted: SecurityState, on connection: PostgresConnection
    ) async throws -> [CloudTrailRecord] {
        let accounts = try await connection.query("SELECT account FROM accounts ORDER BY account").map {
            try $0.get("account", as: String.self)
        }
        return (accounts.isEmpty ? [identity.account] : accounts).map { account in
            VaultTrail.record(
                "AcceptRestoredDatabase", account: account, region: identity.region,
                [
                    "notedEpoch": .int(noted.epoch), "notedRecords": .int(noted.records),
                    "incarnation": .int(Int64(noted.incarnation + 1)), "keysDisabled": .int(Int64(outcome.keysDisabled)),
                    "keysBuried": .int(Int64(outcome.keysBuried)), "grantsRevoked": .int(Int64(outcome.grantsRevoked)),
                    "accessKeysDeactivated": .int(Int64(outcome.accessKeysDeactivated)),
                    "sessionsEnded": .int(Int64(outcome.sessionsEnded)),
                ])
        }
    }

    /// Keys of which the vault has a tombstone.
    private func destroyedKeys() async throws -> [String] { try await vault.tombstones() }
}
