import FoundationEssentials
import Logging

/// The numbered SQL files of one database, applied forward only, each once, each in a transaction of its own.
///
/// Every step takes the advisory lock for its own transaction and looks again at what is applied: two migrators at once share
/// the work, and one that is killed leaves whole migrations only.
package struct Migrations: Sendable {
    /// The sets of this house, as the folders below `migrations/` are named.
    package enum Set: String, Sendable, CaseIterable { case jobs, authority }

    /// Any constant will do, as long as every migrator uses it ("forecast" in ASCII).
    private static let lockKey: Int64 = 0x666F_7265_6361_7374
    /// A migration may rewrite a table: its bound is not a query's.
    static let migrationTimeout: Duration = .seconds(600)

    private let files: @Sendable () throws -> [MigrationFile]

    /// `directory` is the folder that holds the folders of the sets.
    package init(directory: String, set: Set) { self.init(folder: directory + "/" + set.rawValue) }

    /// The folder of the files themselves.
    package init(folder: String) { files = { try MigrationFile.read(directory: folder) } }

    /// The files, checked for numbering alone.
    package func readFiles() throws -> [MigrationFile] { try files() }

    /// What is applied and what is pending. Throws `.migration` on any mismatch.
    package func status(on pool: PostgresPool) async throws -> MigrationPlan {
        let files = try files()
        return try await pool.withConnection { try await Self.plan(files, on: $0) }
    }

    /// For a process about to serve: throws unless everything is applied and nothing differs.
    package func verify(on pool: PostgresPool) async throws {
        guard let first = try await status(on: pool).pending.first else { return }
        throw MigrationFile.fault("\(first.fileName): is not applied yet; run the migrations first.")
    }

    /// Applies what is pending; answers what was applied now.
    @discardableResult
    package func up(on pool: PostgresPool) async throws -> [MigrationFile] {
        let files = try files()
        var done: [MigrationFile] = []
        // Each turn applies one file at least, or is the last.
        for _ in 0...files.count {
            guard let file = try await applyNext(of: files, on: pool) else { return done }
            pool.logger.info("Applied migration", metadata: ["file": "\(file.fileName)"])
            done.append(file)
        }
        return done
    }

    private func applyNext(of files: [MigrationFile], on pool: PostgresPool) async throws -> MigrationFile? {
        try await pool.transaction { connection in
            try await Self.lock(on: connection)
            try await connection.run(
                script: """
                    CREATE TABLE IF NOT EXISTS schema_migrations (
                        number     integer     PRIMARY KEY CHECK (number > 0),
                        name       text        NOT NULL,
                        checksum   text        NOT NULL CHECK (checksum ~ '^[0-9a-f]{64}$'),
                        applied_at timestamptz NOT NULL DEFAULT now()
                    )
                    """, timeout: Self.migrationTimeout)
            guard let file = try await Self.plan(files, on: connection).pending.first else { return nil }
            do {
                try await connection.run(script: file.sql, timeout: Self.migrationTimeout)
            } catch var error as PostgresError {
                error.message = "\(file.fileName): \(error.message)"
                throw error
            }
            let inserted = try await connection.execute(
                """
                INSERT INTO schema_migrations (number, name, checksum)
                VALUES (\(file.number), \(file.name), \(file.checksum))
                """)
            guard inserted == 1 else {
                throw PostgresError(.unexpectedResult, message: "\(file.fileName): could not be recorded.")
            }
            return file
        }
    }

    /// One migrator at a time, until the end of the transaction.
    static func lock(on connection: PostgresConnection) async throws {
        let milliseconds = String(migrationTimeout.pollMilliseconds)
        try await connection.execute("SELECT set_config('statement_timeout', \(milliseconds), true)")
        try await connection.run(script: "SELECT pg_advisory_xact_lock(\(lockKey))", timeout: migrationTimeout)
    }

    private static func plan(_ files: [MigrationFile], on connection: PostgresConnection) async throws -> MigrationPlan {
        let exists = try await connection.query("SELECT to_regclass('schema_migrations') IS NOT NULL")
        guard try exists[0].get(0, as: Bool.self) else { return try MigrationPlan(files: files, applied: []) }
        let rows = try await connection.query(
            "SELECT number, name, checksum, applied_at FROM schema_migrations ORDER BY number")
        return try MigrationPlan(
            files: files,
            applied: rows.map { row in
                AppliedMigration(
                    number: try row.get("number"), name: try row.get("name"), checksum: try row.get("checksum"),
                    appliedAt: try row.get("applied_at"))
            })
    }
}
