package import FoundationEssentials
package import Postgres

/// A record as it lies in the trail, with its place.
package struct StoredRecord: Sendable {
    package var shard: UUID
    package var sequence: Int64
    /// When the database took it, a little before its COMMIT.
    package var recordedAt: Date
    package var account: String
    package var eventTime: Date
    /// Order of records of one second.
    package var position: Int64
    package var text: String

    static let columns = "r.shard, r.sequence, r.recorded_at, r.account, r.event_time, r.position, r.record"

    init(_ row: PostgresRow) throws {
        shard = try row.get("shard")
        sequence = try row.get("sequence")
        recordedAt = try row.get("recorded_at")
        account = try row.get("account")
        eventTime = try row.get("event_time")
        position = try row.get("position")
        text = try row.get("record")
    }
}

/// Reading the trail as the operator of the database: no account's view.
extension AuditTrail {
    /// The accounts that have records.
    package static func accounts(pool: PostgresPool) async throws -> [String] {
        // Steps through an index: there are few accounts and many records.
        try await pool.query(
            """
            WITH RECURSIVE steps AS (
                (SELECT account FROM audit_records ORDER BY account LIMIT 1)
                UNION ALL
                SELECT (SELECT r.account FROM audit_records r WHERE r.account > steps.account ORDER BY r.account LIMIT 1)
                FROM steps WHERE steps.account IS NOT NULL
            )
            SELECT account FROM steps WHERE account IS NOT NULL ORDER BY account
            """
        ).map { try $0.get("account") }
    }

    /// One account's records by time of the event, oldest first.
    ///
    /// - Parameters:
    ///   - start: inclusive.
    ///   - end: exclusive.
    ///   - last: of the page before.
    package static func records(
        of account: String, from start: Date, to end: Date, after last: StoredRecord?, limit: Int, pool: PostgresPool
    ) async throws -> [StoredRecord] {
        try await pool.query(
            """
            SELECT \(raw: StoredRecord.columns) FROM audit_records r
            WHERE r.account = \(account) AND r.event_time >= \(last?.eventTime ?? start) AND r.event_time < \(end)
              AND (r.event_time, r.position) > (\(last?.eventTime ?? .distantPast), \(last?.position ?? 0))
            ORDER BY r.event_time, r.position LIMIT \(limit)
            """
        ).map(StoredRecord.init)
    }

    /// The newest records of all shards, oldest first.
    package static func newest(_ count: Int, pool: PostgresPool) async throws -> [StoredRecord] {
        try await pool.query(
            """
            SELECT \(raw: StoredRecord.columns) FROM audit_shards s CROSS JOIN LATERAL (
                SELECT * FROM audit_records r WHERE r.shard = s.shard ORDER BY r.sequence DESC LIMIT \(count)
            ) r ORDER BY r.recorded_at DESC, r.position DESC LIMIT \(count)
            """
        ).map(StoredRecord.init).reversed()
    }
}

/// Follows the trail: what was added since the last look, of every shard in its order.
///
/// Goes by shard and sequence, which are committed in order; times and positions of different processes are not.
package struct AuditFollower: Sendable {
    /// Records of one look and shard; the rest comes with the next look.
    package static let maximumPerShard = 500

    private let pool: PostgresPool
    private var seen: [UUID: Int64]

    /// Begins after the heads of now.
    package init(pool: PostgresPool) async throws {
        self.pool = pool
        seen = Dictionary(uniqueKeysWithValues: try await AuditTrail.heads(pool: pool).map { ($0.shard, $0.sequence) })
    }

    /// In the order in which the database took them, within this look.
    package mutating func next() async throws -> [StoredRecord] {
        let known = Array(seen)
        let records = try await pool.query(
            """
            SELECT \(raw: StoredRecord.columns) FROM audit_shards s
            LEFT JOIN unnest(\(known.map(\.key)), \(known.map(\.value))) AS k(shard, sequence) ON k.shard = s.shard
            CROSS JOIN LATERAL (
                SELECT * FROM audit_records r WHERE r.shard = s.shard AND r.sequence > coalesce(k.sequence, 0)
                ORDER BY r.sequence LIMIT \(Self.maximumPerShard)
            ) r WHERE s.sequence > coalesce(k.sequence, 0) ORDER BY r.recorded_at, r.position
            """
        ).map(StoredRecord.init)
        for record in records { seen[record.shard] = max(seen[record.shard] ?? 0, record.sequence) }
        return records
    }
}
