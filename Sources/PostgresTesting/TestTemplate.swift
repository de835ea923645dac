import Postgres

/// A migrated database that is copied for each test: quicker than running the migrations every time. Its name holds the checksum
/// of the files, so that a changed file makes a new one; it stays on the server for the next run.
struct TestTemplate {
    let set: Migrations.Set

    /// Its name, once it is there. Concurrent test processes make it once.
    func ready() async throws -> String {
        let migrations = Migrations(directory: TestDatabase.migrationsDirectory, set: set)
        let files = try migrations.readFiles()
        guard !files.isEmpty else { return "template0" }
        let fingerprint = fingerprint(of: files)
        let name = "tmpl_\(set.rawValue)_\(fingerprint)"
        return try await TestDatabase.withAdministrator { pool in
            // Without the lock first: whoever holds it may wait long for a thread beside tests that compute.
            if try await exists(name, on: pool) { return name }
            try await pool.withConnection { connection in
                // CREATE DATABASE runs in no transaction, so the lock is the session's; it ends with this pool at the latest.
                let lock = Int(fingerprint.prefix(12), radix: 16) ?? 0
                _ = try await connection.query("SELECT pg_advisory_lock(\(lock))")
                if try await connection.query("SELECT FROM pg_database WHERE datname = \(name)").isEmpty {
                    try await build(migrations, as: name, on: connection)
                }
                _ = try await connection.query("SELECT pg_advisory_unlock(\(lock))")
            }
            return name
        }
    }

    private func exists(_ name: String, on pool: PostgresPool) async throws -> Bool {
        try await !pool.query("SELECT FROM pg_database WHERE datname = \(name)").isEmpty
    }

    /// Under another name first: a half-migrated database is never taken for the template.
    private func build(_ migrations: Migrations, as name: String, on connection: PostgresConnection) async throws {
        let draft = "draft_" + TestDatabase.randomName()
        try await connection.execute("CREATE DATABASE \(raw: draft) TEMPLATE template0")
        do {
            let pool = PostgresPool(configuration: try TestDatabase.configuration(database: draft), logger: TestDatabase.logger)
            defer { pool.close() }
            try await migrations.up(on: pool)
        } catch {
            _ = try? await connection.execute("DROP DATABASE IF EXISTS \(raw: draft) WITH (FORCE)")
            throw error
        }
        // Nothing may be connected to what is renamed or copied; the pool's sessions may still be ending.
        _ = try await connection.query(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = \(draft)")
        try await connection.execute("ALTER DATABASE \(raw: draft) RENAME TO \(raw: name)")
    }

    private func fingerprint(of files: [MigrationFile]) -> String {
        // FNV-1a over the checksums: a name, not a protection.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in files.map(\.checksum).joined().utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        // The highest bit makes it sixteen digits always.
        return String(hash | 1 << 63, radix: 16)
    }
}
