package import FoundationEssentials
package import Postgres

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
    private static let dataCorrupted = "XX001"

    /// Walks all shards, each to its first bad place, and compares them with the heads that were exported.
    ///
    /// Reads in pages while the trail goes on; records added meanwhile are not looked at. Memory does not grow with the trail.
    ///
    /// - Parameters:
    ///   - evidence: read before this call, so that the database is newer than all of it.
    ///   - progress: told the records walked and those to walk.
    package static func verify(
        pool: PostgresPool, evidence: HeadsEvidence?, progress: @Sendable (Int64, Int64) -> Void = { _, _ in }
    ) async throws -> AuditReport {
        var report = AuditReport()
        report.exports = evidence?.lines
        report.lastExport = evidence?.lastTime
        report.tornLines = evidence?.tornLines ?? 0
        report.losses = evidence?.losses ?? []
        report.findings = evidence?.findings ?? []
        let shards = try await ends(pool: pool)
        let total = shards.reduce(0) { $0 + $1.head.sequence }
        var gone: [Date] = []
        for end in shards {
            let points = evidence?.points(of: end.shard) ?? []
            var walk = ChainWalk(shard: end.shard, points: points)
            let walked = report.records
            let finding = try await Self.walk(&walk, to: end, pool: pool) { progress(walked + $0, total) }
            report.records += walk.chain.sequence
            if let finding {
                report.findings.append(finding)
                if finding.kind == .behindExport { gone += points.filter { $0.head.sequence > end.head.sequence }.map(\.time) }
            }
        }
        report.shards = shards.count
        let present = Set(shards.map(\.shard))
        for shard in evidence?.shards ?? [] where !present.contains(shard) {
            guard let points = evidence?.points(of: shard), let last = points.last else { continue }
            gone += points.map(\.time)
            report.findings.append(
                AuditFinding(
                    .shardRemoved, shard: shard,
                    "is not in the database; its head at record \(last.head.sequence) was exported at "
                        + AuditFinding.text(last.time)))
        }
        report.findings += try await orphans(besides: present, pool: pool)
        let onlyGone = report.findings.allSatisfy { $0.kind == .behindExport || $0.kind == .shardRemoved }
        if onlyGone { report.rolledBackTo = gone.min() }
        return report
    }

    /// Recomputes one shard's chain from its records.
    package static func verifyChain(of shard: UUID, pool: PostgresPool) async throws -> ChainVerdict {
        guard let end = try await ends(pool: pool).first(where: { $0.shard == shard }) else { return .unknownShard }
        var walk = ChainWalk(shard: shard, points: [])
        guard let finding = try await Self.walk(&walk, to: end, pool: pool) else {
            return .intact(records: walk.chain.sequence)
        }
        switch finding.kind {
        case .tailMissing, .headDiffers: return .headDiffers(sequence: end.head.sequence)
        default: return .broken(sequence: finding.sequence ?? 0)
        }
    }

    /// A shard's head and the highest sequence among its records.
    private struct End: Sendable {
        var shard: UUID
        var head: HashChain
        var last: Int64
    }

    /// In one statement, so that heads and records are of one instant.
    private static func ends(pool: PostgresPool) async throws -> [End] {
        try await pool.query(
            """
            SELECT s.shard, s.sequence, s.hash,
                   coalesce((SELECT max(r.sequence) FROM audit_records r WHERE r.shard = s.shard), 0) AS last
            FROM audit_shards s ORDER BY s.started_at, s.shard
            """
        ).map {
            End(
                shard: try $0.get("shard"), head: HashChain(sequence: try $0.get("sequence"), hash: try $0.get("hash")),
                last: try $0.get("last"))
        }
    }

    private static func walk(
        _ walk: inout ChainWalk, to end: End, pool: PostgresPool, progress: (Int64) -> Void = { _ in }
    ) async throws -> AuditFinding? {
        while walk.chain.sequence < end.head.sequence {
            let rows: [PostgresRow]
            do {
                rows = try await pool.query(
                    """
                    SELECT sequence, previous_hash, hash, record, \(raw: RecordColumns.names) FROM audit_records
                    WHERE shard = \(end.shard) AND sequence > \(walk.chain.sequence) AND sequence <= \(end.head.sequence)
                    ORDER BY sequence LIMIT \(verifiedRowsPerRead)
                    """)
            } catch let error as PostgresError where error.sqlState == dataCorrupted {
                return AuditFinding(
                    .unreadable, shard: end.shard, sequence: walk.chain.sequence + 1,
                    "or one of the \(verifiedRowsPerRead) from there on cannot be read: the database found a damaged page")
            }
            if rows.isEmpty { break }
            for row in rows {
                let step = ChainWalk.Step(
                    sequence: try row.get("sequence"), previousHash: try row.get("previous_hash"), hash: try row.get("hash"),
                    text: try row.get("record"), columns: try RecordColumns(row))
                if let finding = walk.take(step) { return finding }
            }
            progress(walk.chain.sequence)
        }
        return walk.end(head: end.head, last: end.last)
    }

    /// Shards that have records and no head. Finds the distinct ones by stepping through the primary key.
    private static func orphans(besides present: Set<UUID>, pool: PostgresPool) async throws -> [AuditFinding] {
        let rows = try await pool.query(
            """
            WITH RECURSIVE steps AS (
                (SELECT shard FROM audit_records ORDER BY shard LIMIT 1)
                UNION ALL
                SELECT (SELECT r.shard FROM audit_records r WHERE r.shard > steps.shard ORDER BY r.shard LIMIT 1)
                FROM steps WHERE steps.shard IS NOT NULL
            )
            SELECT shard FROM steps WHERE shard IS NOT NULL AND NOT EXISTS (SELECT FROM audit_shards s WHERE s.shard = steps.shard)
            """)
        return try rows.map { try $0.get("shard", as: UUID.self) }.filter { !present.contains($0) }.map {
            AuditFinding(.headMissing, shard: $0, "has records, but its head is not there")
        }
    }
}
