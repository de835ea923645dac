package import Postgres

extension AuditTrail {
    /// The settings of the server that let a crash take back what was committed: `fsync`, `full_page_writes`, where off.
    package static func unsafeSettings(pool: PostgresPool) async throws -> [String] {
        try await pool.query(
            "SELECT name::text FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name"
        ).map { try $0.get("name") }
    }

    /// Whether the server finds damaged pages by itself.
    package static func hasPageChecksums(pool: PostgresPool) async throws -> Bool {
        try await pool.query("SELECT current_setting('data_checksums') = 'on' AS has").first?.get("has") ?? false
    }
}
