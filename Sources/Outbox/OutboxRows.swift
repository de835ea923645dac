package import FoundationEssentials
package import Postgres

/// A claimed row.
package struct OutboxRow: Sendable {
    package let id: Int
    let topic: String
    let key: [UInt8]?
    let payload: [UInt8]
    let traceparent: String?
    /// How often it was claimed, this time included.
    package let claims: Int
}

/// The statements of the relay: `OutboxEntryStateMachine` for many rows at once. A claim is a random token and a lease by
/// the database's clock: who holds neither changes nothing.
///
/// None waits for the disk: of a claim or a removal that a crash of the server takes back, the row stays, and its message goes
/// once more, which is what is promised anyway.
package struct OutboxRows: Sendable {
    let pool: PostgresPool

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// Takes the oldest due rows, passing over those that another relay is just taking.
    package func claim(limit: Int, lease: Duration, token: UUID) async throws -> [OutboxRow] {
        try await pool.query(
            """
            WITH due AS MATERIALIZED (
                SELECT id FROM outbox WHERE available_at <= clock_timestamp()
                ORDER BY available_at, id LIMIT \(limit) FOR UPDATE SKIP LOCKED)
            UPDATE outbox SET available_at = clock_timestamp() + \(lease), claim = \(token), claims = claims + 1
            FROM due WHERE outbox.id = due.id
            RETURNING outbox.id, topic, key, payload, traceparent, claims, \(raw: Self.withoutDisk)
            """
        ).map { row in
            OutboxRow(
                id: try row.get("id"), topic: try row.get("topic"), key: try row.get("key", as: [UInt8]?.self),
                payload: try row.get("payload"), traceparent: try row.get("traceparent", as: String?.self),
                claims: try row.get("claims", as: Int.self))
        }.sorted { $0.id < $1.id }
    }

    /// Removes what was acknowledged; returns how many rows were still this claim's. The others another relay took over
    /// after the lease and publishes again.
    package func remove(_ ids: [Int], token: UUID) async throws -> Int {
        try await pool.query(
            "DELETE FROM outbox WHERE id = ANY(\(ids)) AND claim = \(token) RETURNING \(raw: Self.withoutDisk)"
        ).count
    }

    /// Gives rows back before their lease ends, to be claimed again after `delay`; returns how many were still this claim's.
    package func release(_ ids: [Int], token: UUID, after delay: Duration) async throws -> Int {
        try await pool.query(
            """
            UPDATE outbox SET available_at = clock_timestamp() + \(delay), claim = NULL
            WHERE id = ANY(\(ids)) AND claim = \(token) RETURNING \(raw: Self.withoutDisk)
            """
        ).count
    }

    /// For the statement's own transaction alone; a statement that finds no row commits nothing.
    private static let withoutDisk = "set_config('synchronous_commit', 'off', true)"

    /// How many rows there are, counted up to `limit`.
    package func count(upTo limit: Int) async throws -> Int {
        try await pool.query("SELECT count(*) AS rows FROM (SELECT FROM outbox LIMIT \(limit)) AS bounded")
            .first?.get("rows") ?? 0
    }
}
