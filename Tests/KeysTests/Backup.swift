import Postgres

/// A copy of every table, and the way back to it: a database restored from a backup, triggers and all.
struct Backup {
    private let pool: PostgresPool
    private let name: String
    private let tables: [String]

    /// - Parameter name: of the schema that holds the copy.
    static func make(_ name: String = "backup", of pool: PostgresPool) async throws -> Backup {
        let tables = try await pool.query(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '%migration%' ORDER BY tablename"
        ).map { try $0.get("tablename", as: String.self) }
        try await pool.execute("CREATE SCHEMA \(raw: name)")
        try await pool.transaction(level: .repeatableRead) { connection in
            for table in tables {
                try await connection.execute("CREATE TABLE \(raw: name).\(raw: table) AS TABLE public.\(raw: table)")
            }
        }
        return Backup(pool: pool, name: name, tables: tables)
    }

    func restore() async throws {
        try await pool.transaction { connection in
            // As pg_restore does: no trigger and no foreign key has a say.
            try await connection.execute("SET LOCAL session_replication_role = replica")
            for table in tables {
                try await connection.execute("DELETE FROM public.\(raw: table)")
                try await connection.execute(
                    "INSERT INTO public.\(raw: table) OVERRIDING SYSTEM VALUE SELECT * FROM \(raw: name).\(raw: table)")
            }
        }
    }
}
