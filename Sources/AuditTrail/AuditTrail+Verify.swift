package import Postgres

package import struct FoundationEssentials.UUID

/// What a walk along a shard's chain found.
package enum ChainVerdict: Sendable, Equatable {
    case intact(records: Int64)
    /// The first record whose sequence, hash or predecessor's hash does not fit.
    case broken(sequence: Int64)
    /// All records fit, but the head knows of more, or of others: the end was cut off.
    case headDiffers(sequence: Int64)
    case unknownShard
}

extension AuditTrail {
    static let verifiedRowsPerRead = 500

    /// Recomputes one shard's chain from its records. Reads it in pages; records added meanwhile are not waited for.
    package static func verifyChain(of shard: UUID, pool: PostgresPool) async throws -> ChainVerdict {
        guard let head = try await pool.query("SELECT sequence, hash FROM audit_shards WHERE shard = \(shard)").first else {
            return .unknownShard
        }
        let expected = HashChain(sequence: try head.get("sequence"), hash: try head.get("hash"))
        var chain = HashChain(shard: shard)
        while chain.sequence < expected.sequence {
            let rows = try await pool.query(
                """
                SELECT sequence, previous_hash, hash, record FROM audit_records
                WHERE shard = \(shard) AND sequence > \(chain.sequence) AND sequence <= \(expected.sequence)
                ORDER BY sequence LIMIT \(verifiedRowsPerRead)
                """)
            if rows.isEmpty { return .headDiffers(sequence: expected.sequence) }
            for row in rows {
                let previous: [UInt8] = try row.get("previous_hash")
                let sequence: Int64 = try row.get("sequence")
                guard previous == chain.hash else { return .broken(sequence: sequence) }
                chain.extend(with: try row.get("record"))
                guard sequence == chain.sequence, try row.get("hash") == chain.hash else {
                    return .broken(sequence: sequence)
                }
            }
        }
        return chain == expected ? .intact(records: chain.sequence) : .headDiffers(sequence: expected.sequence)
    }
}
