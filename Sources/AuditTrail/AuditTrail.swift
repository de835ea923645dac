import Freshness
package import Logging
package import Postgres
import Telemetry

package import struct FoundationEssentials.UUID

/// The append-only trail of one authority process.
///
/// **law** No durable record, no answer: a mutation appends its records in its own transaction, a read or a use of a
/// key is answered only after `record(_:)` returned. Opening the trail starts the process's shards: sequences of records
/// without gaps, each record with the hash of the one before.
package final class AuditTrail: Sendable {
    /// Callers whose records share one transaction.
    package static let maximumBatch = 128
    /// Callers that may wait for the next one.
    package static let maximumWaiting = 10_000

    /// Where reads, uses of keys and denials go, and changes where there is no shard for them.
    package let shard: UUID
    /// Where changes go: each holds its shard's head until its COMMIT is on disk, so that several shards let them wait together.
    package let changeShards: [UUID]
    let pool: PostgresPool
    package let pace: ExportPace
    private let group: GroupCommit<Entry>
    private let recordTime = Measure.time(.auditAppendSeconds, [("write", "record")])
    private let changeTime = Measure.time(.auditAppendSeconds, [("write", "change")])

    /// A record on its way, and what the request that it tells of has taken from caches.
    private struct Entry: Sendable {
        let row: AuditRow
        let reliance: Reliance?
    }

    /// Starts the shards on a migrated authority database.
    ///
    /// - Parameters:
    ///   - changeShards: shards beside the first for changes; 0 for commands that make few.
    ///   - pace: refuses records while heads cannot be exported.
    package static func open(
        pool: PostgresPool, logger: Logger, shard: UUID = UUID(), changeShards count: Int = 0, pace: ExportPace = ExportPace()
    ) async throws -> AuditTrail {
        let changeShards = (0..<count).map { _ in UUID() }
        let starts = ([shard] + changeShards).map { ($0, HashChain(shard: $0).hash) }
        try await pool.execute(
            """
            INSERT INTO audit_shards (shard, sequence, hash)
            SELECT s.shard, 0, s.hash FROM unnest(\(starts.map(\.0)), \(starts.map(\.1))) AS s(shard, hash)
            """)
        logger.info(
            "audit shards started", metadata: ["shard": "\(shard.uuidString.lowercased())", "count": "\(starts.count)"])
        return AuditTrail(pool: pool, shard: shard, changeShards: changeShards, pace: pace)
    }

    init(pool: PostgresPool, shard: UUID, changeShards: [UUID] = [], pace: ExportPace = ExportPace()) {
        self.pool = pool
        self.shard = shard
        self.changeShards = changeShards
        self.pace = pace
        self.group = GroupCommit(
            maximumBatch: Self.maximumBatch, maximumWaiting: Self.maximumWaiting,
            isFaultOfItem: Self.isFaultOfRecord, isLeftOut: { $0.reliance?.isRefuted ?? false }
        ) { entries in
            try await Self.write(entries, to: shard, pool: pool, pace: pace)
        }
    }

    /// Whether a record, and not the database's state, made a transaction fail. After a lost answer nothing is written
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
        try pace.check()
        let reliance = Reliance.current
        let began = ContinuousClock.now
        // Written out here, by every caller for itself: the one who writes the batch holds up all others.
        try await group.commit(records.map { Entry(row: AuditRow($0), reliance: reliance) })
        recordTime.record(.now - began)
        if !records.isEmpty { RecordedMark.current?.set() }
    }

    package func record(_ record: CloudTrailRecord) async throws {
        try await self.record([record])
    }

    /// Adds the records of a mutation to its own transaction.
    ///
    /// Must be the transaction's last act: it locks the shard's head until the end, and whoever waits for that head
    /// must not hold a row that this transaction still wants.
    package func append(_ records: [CloudTrailRecord], on connection: PostgresConnection) async throws {
        guard !records.isEmpty else { return }
        try pace.check()
        let began = ContinuousClock.now
        let rows = records.map(AuditRow.init)
        let shard = changeShard(of: connection)
        if let reliance = Reliance.current, case let scopes = Set(reliance.unproven.keys), !scopes.isEmpty {
            let answers = try await connection.pipeline(Self.opening(shard: shard, scopes: scopes))
            guard try Self.prove([reliance], scopes, answers) else { throw AuditError.outdated }
        }
        try Self.check(try await connection.query(AuditRow.append(rows, to: shard)))
        changeTime.record(.now - began)
        pace.added(rows.count)
        RecordedMark.current?.set()
    }

    package func append(_ record: CloudTrailRecord, on connection: PostgresConnection) async throws {
        try await append([record], on: connection)
    }

    /// The same for all of a transaction, which runs on one connection: locking several heads could deadlock.
    private func changeShard(of connection: PostgresConnection) -> UUID {
        guard !changeShards.isEmpty else { return shard }
        let number = UInt(bitPattern: ObjectIdentifier(connection).hashValue)
        return changeShards[Int(number % UInt(changeShards.count))]
    }

    private static func check(_ answer: [PostgresRow]) throws {
        let sequence: Int64? = try answer.first?.get("sequence")
        guard sequence != nil else {
            throw AuditError(.unknownShard, "The audit trail of this process is not in the database.")
        }
    }

    // MARK: Proving what came from caches

    /// One statement is a transaction of its own: there and durable with its answer. Where something was taken from caches, it
    /// stands behind a first round trip that reads the versions; entries of requests whose reliance does not hold are left out.
    private static func write(_ entries: [Entry], to shard: UUID, pool: PostgresPool, pace: ExportPace) async throws {
        let reliances = entries.compactMap(\.reliance)
        let scopes = reliances.reduce(into: Set<Scope>()) { $0.formUnion($1.unproven.keys) }
        guard !scopes.isEmpty else {
            try check(try await pool.query(AuditRow.append(entries.map(\.row), to: shard)))
            return pace.added(entries.count)
        }
        try await pool.transaction(first: opening(shard: shard, scopes: scopes)) { answers in
            _ = try prove(reliances, scopes, answers)
            let rows = entries.filter { !($0.reliance?.isRefuted ?? false) }.map(\.row)
            pace.added(rows.count)
            return rows.isEmpty ? [] : [AuditRow.append(rows, to: shard)]
        }
    }

    /// What has to be known before anything is written: that the shard is there, and, behind its lock, the versions.
    private static func opening(shard: UUID, scopes: Set<Scope>) -> [PostgresQuery] {
        ["SELECT sequence FROM audit_shards WHERE shard = \(shard) FOR UPDATE", .securityVersions(of: scopes)]
    }

    /// Whether all hold. Each is asked, for each learns what to forget.
    private static func prove(_ reliances: [Reliance], _ scopes: Set<Scope>, _ answers: [[PostgresRow]]) throws -> Bool {
        try check(answers[0])
        let versions = try ScopeVersions(rows: answers[1], asked: scopes)
        return reliances.reduce(true) { $1.prove(by: versions) && $0 }
    }
}
