package import Postgres

package import struct FoundationEssentials.Date
package import struct FoundationEssentials.UUID

/// Where a shard's chain has come to: sequence and hash of its last record.
///
/// A hash commits to every record before it, so that a head kept elsewhere is enough to find what was altered, cut off or
/// rolled back since.
package struct AuditHead: Sendable, Hashable {
    package var shard: UUID
    /// 0 before the first record.
    package var sequence: Int64
    /// 32 bytes.
    package var hash: [UInt8]

    package init(shard: UUID, sequence: Int64, hash: [UInt8]) {
        self.shard = shard
        self.sequence = sequence
        self.hash = hash
    }
}

extension AuditTrail {
    /// The heads of all shards, those of ended processes too, in the order in which the shards began.
    ///
    /// Committed state of one instant, and durable: a head becomes visible only after its COMMIT is on disk.
    package static func heads(pool: PostgresPool) async throws -> [AuditHead] {
        try await pool.query("SELECT shard, sequence, hash FROM audit_shards ORDER BY started_at, shard").map {
            AuditHead(shard: try $0.get("shard"), sequence: try $0.get("sequence"), hash: try $0.get("hash"))
        }
    }

    /// The heads among those given that the database does not contain: the shard is gone, ends before, or has another record
    /// in that place. Empty for a database that is the one the heads were taken from, or a later state of it.
    ///
    /// Looks at these records alone; `verify` walks all of them.
    package static func missing(of heads: [AuditHead], pool: PostgresPool) async throws -> [AuditHead] {
        let rows = try await pool.query(
            """
            SELECT w.number::bigint AS number
            FROM unnest(\(heads.map(\.shard)), \(heads.map(\.sequence)), \(heads.map(\.hash)))
                WITH ORDINALITY AS w(shard, sequence, hash, number)
            WHERE NOT EXISTS (
                SELECT FROM audit_records r WHERE r.shard = w.shard AND r.sequence = w.sequence AND r.hash = w.hash)
              AND NOT (w.sequence = 0 AND EXISTS (SELECT FROM audit_shards s WHERE s.shard = w.shard))
               OR NOT EXISTS (SELECT FROM audit_shards s WHERE s.shard = w.shard AND s.sequence >= w.sequence)
            ORDER BY w.number
            """)
        return try rows.map { heads[Int(try $0.get("number", as: Int64.self)) - 1] }
    }
}
