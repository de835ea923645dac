package import Postgres
import Telemetry

/// The table `outbox`: what is appended in a transaction is published after it commits, at least once and in no promised
/// order; what is rolled back is never published.
package enum Outbox {
    package static let payloadBytes = 65_536
    package static let keyBytes = 1024

    /// A message that the table takes.
    package struct Message: Sendable, Hashable {
        package let topic: TopicName
        package let key: [UInt8]?
        package let payload: [UInt8]
        /// Of the work that appends it.
        package let traceparent: String?

        /// Throws `OutboxError` naming what is too long.
        package init(topic: String, key: [UInt8]? = nil, payload: [UInt8]) throws(OutboxError) {
            self.topic = try TopicName(topic)
            guard (key?.count ?? 0) <= keyBytes else { throw OutboxError(.key, "a key has at most \(keyBytes) bytes") }
            guard payload.count <= payloadBytes else {
                throw OutboxError(.payload, "a message has at most \(payloadBytes) bytes")
            }
            self.key = key
            self.payload = payload
            traceparent = TraceContext.current?.text
        }
    }

    /// Appends a message in the caller's transaction. After the commit, `OutboxRelay.wake()` makes it go at once; without
    /// it goes within the relay's sweep. Throws `OutboxError`, `PostgresError`.
    package static func append(
        topic: String, key: [UInt8]? = nil, payload: [UInt8], on connection: PostgresConnection
    ) async throws {
        try await append(try Message(topic: topic, key: key, payload: payload), on: connection)
    }

    package static func append(_ message: Message, on connection: PostgresConnection) async throws {
        try await connection.execute(statement(of: message))
    }

    /// The statement that appends it, for a pipeline of the caller's.
    package static func statement(of message: Message) -> PostgresQuery {
        // clock_timestamp(), not now(): a transaction may have begun long ago, and rows are claimed by age.
        """
        INSERT INTO outbox (topic, key, payload, traceparent, available_at)
        VALUES (\(message.topic.name), \(message.key), \(message.payload), \(message.traceparent), clock_timestamp())
        """
    }

    /// Rows `waiting`, counted up to `limit`, and the age of the oldest of those in seconds, `oldest` (NULL where there is none).
    package static func reading(limit: Int) -> PostgresQuery {
        """
        SELECT count(*) AS waiting, extract(epoch FROM clock_timestamp() - min(created_at))::float8 AS oldest
        FROM (SELECT created_at FROM outbox ORDER BY available_at, id LIMIT \(limit)) AS bounded
        """
    }
}
