package import Postgres

/// The table `outbox`: what is appended in a transaction is published after it commits, at least once and in no promised
/// order; what is rolled back is never published.
package enum Outbox {
    package static let payloadBytes = 65_536
    package static let keyBytes = 1024

    /// Appends a message in the caller's transaction. After the commit, `OutboxRelay.wake()` makes it go at once; without
    /// it goes within the relay's sweep. Throws `OutboxError`, `PostgresError`.
    package static func append(
        topic: String, key: [UInt8]? = nil, payload: [UInt8], on connection: PostgresConnection
    ) async throws {
        let topic = try TopicName(topic)
        guard (key?.count ?? 0) <= keyBytes else { throw OutboxError(.key, "a key has at most \(keyBytes) bytes") }
        guard payload.count <= payloadBytes else {
            throw OutboxError(.payload, "a message has at most \(payloadBytes) bytes")
        }
        // clock_timestamp(), not now(): a transaction may have begun long ago, and rows are claimed by age.
        try await connection.execute(
            """
            INSERT INTO outbox (topic, key, payload, available_at)
            VALUES (\(topic.name), \(key), \(payload), clock_timestamp())
            """)
    }
}
