import Freshness
package import Logging
package import Postgres

package import struct FoundationEssentials.UUID

/// The append-only trail of one authority process.
///
/// **law** No durable record, no answer: a mutation appends its records in its own transaction, a read or a use of a
/// key is answered only after `record(_:)` returned. Opening the trail starts a shard: a sequence of records without
/// gaps, each with the hash of the one before.
package final class AuditTrail: Sendable {
    /// Callers whose records share one transaction.
    package static let maximumBatch = 128
    /// Callers that may wait for the next one.
    package static let maximumWaiting = 10_000

    package let shard: UUID
    let pool: PostgresPool
    private let group: GroupCommit<Entry>

    /// A record on its way, and what the request that it tells of has taken from caches.
    private struct Entry: Sendable {
        let record: CloudTrailRecord
        let reliance: Reliance?
    }

    /// Starts a shard on a migrated authority database.
    package static func open(pool: PostgresPool, logger: Logger, shard: UUID = UUID()) async throws -> AuditTrail {
        let start = HashChain(shard: shard)
        try await pool.execute("INSERT INTO audit_shards (shard, sequence, hash) VALUES (\(shard), 0, \(start.hash))")
        logger.info("audit shard started", metadata: ["shard": "\(shard.uuidString.lowercased())"])
        return AuditTrail(pool: pool, shard: shard)
    }

    private init(pool: PostgresPool, shard: UUID) {
        self.pool = pool
        self.shard = shard
        self.group = GroupCommit(
            maximumBatch: Self.maximumBatch, maximumWaiting: Self.maximumWaiting,
            isFaultOfItem: Self.isFaultOfRecord, isLeftOut: { $0.reliance?.isRefuted ?? false }
        ) { entries in
            let scopes = Self.scopes(of: entries)
            try await pool.transaction(first: Self.opening(shard: shard, scopes: scopes)) {
                try Self.insertions(of: entries, shard: shard, scopes: scopes, $0)
            }
        }
    }

    /// Whether a record, and not the database's state, made a transaction fail. After a lost COMMIT answer nothing is written
    /// again: the records may be there.
    private static func isFaultOfRecord(_ error: any Error) -> Bool {
        guard let error = error as? PostgresError else { return false }
        return (error.code == .server || error.code == .encoding) && !error.isRetriable
    }

    /// Records reads, uses of keys and denials; returns when they are durable.
    ///
    /// Records of callers that wait at the same time share a transaction. Whatever this throws, the caller of the API
    /// must not get its result.
    package func record(_ records: [CloudTrailRecord]) async throws {
        let reliance = Reliance.current
        try await group.commit(records.map { Entry(record: $0, reliance: reliance) })
    }

    package func record(_ record: CloudTrailRecord) async throws {
        try await self.record([record])
    }

    /// Adds the records of a mutation to its own transaction.
    ///
    /// Must be the transaction's last act: it locks the shard's head until the end, and whoever waits for that head
    /// must not hold a row that this transaction still wants.
    package func append(_ records: [CloudTrailRecord], on connection: PostgresConnection) async throws {
        let reliance = Reliance.current
        try await Self.append(records.map { Entry(record: $0, reliance: reliance) }, shard: shard, on: connection)
        if let reliance, reliance.isRefuted { throw AuditError.outdated }
    }

    package func append(_ record: CloudTrailRecord, on connection: PostgresConnection) async throws {
        try await append([record], on: connection)
    }

    private static func append(_ entries: [Entry], shard: UUID, on connection: PostgresConnection) async throws {
        guard !entries.isEmpty else { return }
        let scopes = scopes(of: entries)
        let answers = try await connection.pipeline(opening(shard: shard, scopes: scopes))
        _ = try await connection.pipeline(try insertions(of: entries, shard: shard, scopes: scopes, answers))
    }

    private static func scopes(of entries: [Entry]) -> Set<Scope> {
        entries.reduce(into: []) { scopes, entry in
            if let reliance = entry.reliance { scopes.formUnion(reliance.unproven.keys) }
        }
    }

    /// What has to be known before anything is written.
    private static func opening(shard: UUID, scopes: Set<Scope>) -> [PostgresQuery] {
        [
            // A commit that returns before its record is on disk could be answered and then forgotten.
            "SET LOCAL synchronous_commit = on",
            "SELECT sequence, hash FROM audit_shards WHERE shard = \(shard) FOR UPDATE",
            // Behind the head's lock: once a revocation of this process is recorded, no use that it forbids comes after it.
            .securityVersions(of: scopes),
        ]
    }

    /// The records' rows and the new head. Leaves out the entries of requests whose reliance does not hold.
    ///
    /// - Parameter answers: to the statements of `opening`.
    private static func insertions(
        of entries: [Entry], shard: UUID, scopes: Set<Scope>, _ answers: [[PostgresRow]]
    ) throws -> [PostgresQuery] {
        guard let head = answers[1].first else {
            throw AuditError(.unknownShard, "The audit trail of this process is not in the database.")
        }
        let versions = try ScopeVersions(rows: answers[2], asked: scopes)
        let records = entries.filter { $0.reliance?.prove(by: versions) ?? true }.map(\.record)
        guard !records.isEmpty else { return [] }
        var chain = HashChain(sequence: try head.get("sequence"), hash: try head.get("hash"))
        var statements: [PostgresQuery] = []
        statements.reserveCapacity(records.count + 1)
        for record in records {
            let previous = chain.hash
            let row = AuditRow(record)
            chain.extend(with: row.text)
            statements.append(row.insertion(shard: shard, sequence: chain.sequence, previousHash: previous, hash: chain.hash))
        }
        statements.append("UPDATE audit_shards SET sequence = \(chain.sequence), hash = \(chain.hash) WHERE shard = \(shard)")
        return statements
    }
}
