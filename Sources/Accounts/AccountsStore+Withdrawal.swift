package import Postgres

extension AccountsStore {
    /// Deactivates every access key and ends every session, of customers and of the service alike: who had lost them may hold
    /// them again in an older database.
    package static func withdrawCredentials(
        on connection: PostgresConnection
    ) async throws -> (accessKeys: Int, sessions: Int) {
        let counts = try await connection.executePipeline([
            "UPDATE access_keys SET status = 'Inactive' WHERE status = 'Active'", "DELETE FROM sessions",
        ])
        return (counts[0], counts[1])
    }

    /// What `withdrawCredentials` would change now.
    package static func countCredentials(
        on connection: PostgresConnection
    ) async throws -> (accessKeys: Int, sessions: Int) {
        let rows = try await connection.query(
            """
            SELECT (SELECT count(*) FROM access_keys WHERE status = 'Active') AS keys, (SELECT count(*) FROM sessions) AS sessions
            """)
        guard let row = rows.first else { return (0, 0) }
        return (try row.get("keys"), try row.get("sessions"))
    }
}
