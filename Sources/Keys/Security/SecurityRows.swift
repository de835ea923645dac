import Postgres

import struct FoundationEssentials.UUID

/// Statements on the security epoch and the heads of the audit trail.
enum SecurityRows {
    /// Where the database has come to. All of it is durable: transactions that take rights away or record anything commit
    /// synchronously, so what can be seen is on disk.
    static func read(on connection: PostgresConnection) async throws -> (state: SecurityState, vault: UUID?, unfolded: Int) {
        // One statement, one snapshot.
        let rows = try await connection.query(
            """
            SELECT s.vault, s.incarnation, s.epoch,
                   (SELECT count(*) FROM security_changes) AS unfolded,
                   (SELECT coalesce(sum(sequence), 0)::bigint FROM audit_shards) AS records
            FROM security_state s
            """)
        guard let row = rows.first else {
            throw SecurityError(.behind, "The database has no security state: it was not migrated, or was tampered with.")
        }
        let heads = try await connection.query(
            """
            SELECT shard, sequence, hash FROM audit_shards WHERE sequence > 0
            ORDER BY moved_at DESC LIMIT \(SecurityState.maximumHeads)
            """
        ).map { SecurityState.Head(shard: try $0.get("shard"), sequence: try $0.get("sequence"), hash: try $0.get("hash")) }
        let unfolded: Int = try row.get("unfolded")
        let state = SecurityState(
            incarnation: Int(try row.get("incarnation", as: Int32.self)),
            epoch: try row.get("epoch", as: Int64.self) + Int64(unfolded), records: try row.get("records"), heads: heads)
        return (state, try row.get("vault"), unfolded)
    }

    /// Moves changes into the epoch, so that their table stays small. The sum stays what it was.
    static func fold(on connection: PostgresConnection) async throws {
        // One at a time; those who add changes do not wait.
        _ = try await connection.query("SELECT 1 FROM security_state FOR UPDATE")
        let folded = try await connection.execute("DELETE FROM security_changes")
        guard folded > 0 else { return }
        guard try await connection.execute("UPDATE security_state SET epoch = epoch + \(Int64(folded))") == 1 else {
            throw SecurityError(.behind, "The database has no security state.")
        }
    }

    /// Heads of which the database lacks the record, or has another one.
    static func unknown(
        _ heads: [SecurityState.Head], on connection: PostgresConnection
    ) async throws -> [SecurityState.Head] {
        guard !heads.isEmpty else { return [] }
        let known = try await connection.query(
            """
            SELECT h.shard FROM unnest(\(heads.map(\.shard)), \(heads.map(\.sequence)), \(heads.map(\.hash))) AS h (shard, sequence, hash)
            WHERE EXISTS (
                SELECT FROM audit_shards s WHERE s.shard = h.shard AND s.sequence = h.sequence AND s.hash = h.hash)
            OR EXISTS (
                SELECT FROM audit_records r WHERE r.shard = h.shard AND r.sequence = h.sequence AND r.hash = h.hash)
            """
        ).map { try $0.get("shard", as: UUID.self) }
        let shards = Set(known)
        return heads.filter { !shards.contains($0.shard) }
    }

    /// Ties a database that never had one to its vault.
    static func bind(to vault: UUID, on connection: PostgresConnection) async throws {
        guard try await connection.execute("UPDATE security_state SET vault = \(vault) WHERE vault IS NULL") == 1 else {
            throw SecurityError(.foreignVault, "The database was bound to a vault by somebody else meanwhile; start again.")
        }
    }
}
