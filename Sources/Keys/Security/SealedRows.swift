import Accounts
import Postgres

/// Statements on everything that is sealed, by the version of the root key that is in front of the bytes.
enum SealedRows {
    static func materials(
        under version: Int, after: (key: String, material: [UInt8]), limit: Int, on pool: PostgresPool
    ) async throws -> [PostgresRow] {
        try await pool.query(
            """
            SELECT m.key_id, m.material, m.version, m.sealed, k.arn FROM key_materials m JOIN keys k USING (key_id)
            WHERE (m.key_id, m.material) > (\(after.key)::text, \(after.material)) AND root_key_version(m.sealed) < \(Int32(version))
            ORDER BY m.key_id, m.material LIMIT \(limit)
            """)
    }

    static func replaceMaterial(_ old: [UInt8], by new: [UInt8], key: String, material: [UInt8]) -> PostgresQuery {
        """
        UPDATE key_materials SET sealed = \(new)
        WHERE key_id = \(key) AND material = \(material) AND sealed = \(old)
        """
    }

    static func secrets(
        _ column: SealedColumn, under version: Int, after: String, limit: Int, on pool: PostgresPool
    ) async throws -> [PostgresRow] {
        try await pool.query(
            """
            SELECT \(raw: column.id) AS id, \(raw: column.column) AS sealed FROM \(raw: column.table)
            WHERE \(raw: column.id) > \(after)::text AND root_key_version(\(raw: column.column)) < \(Int32(version))
            ORDER BY \(raw: column.id) LIMIT \(limit)
            """)
    }

    static func replace(_ column: SealedColumn, id: String, _ old: [UInt8], by new: [UInt8]) -> PostgresQuery {
        """
        UPDATE \(raw: column.table) SET \(raw: column.column) = \(new)
        WHERE \(raw: column.id) = \(id) AND \(raw: column.column) = \(old)
        """
    }

    /// Rows that are sealed under an older version, without those of the keys named.
    static func left(under version: Int, besides dead: [String], on connection: PostgresConnection) async throws -> Int {
        var left: Int =
            try await connection.query(
                """
                SELECT count(*) AS n FROM key_materials
                WHERE root_key_version(sealed) < \(Int32(version)) AND NOT key_id = ANY (\(dead))
                """
            ).first?.get("n") ?? 0
        for column in AccountsStore.sealedColumns {
            left +=
                try await connection.query(
                    """
                    SELECT count(*) AS n FROM \(raw: column.table)
                    WHERE root_key_version(\(raw: column.column)) < \(Int32(version))
                    """
                ).first?.get("n") ?? 0
        }
        return left
    }

    /// Nil where nothing is sealed yet.
    static func latestVersion(on pool: PostgresPool) async throws -> Int? {
        var latest: Int?
        let columns = [("key_materials", "sealed")] + AccountsStore.sealedColumns.map { ($0.table, $0.column) }
        for (table, column) in columns {
            let rows = try await pool.query("SELECT max(root_key_version(\(raw: column))) AS version FROM \(raw: table)")
            guard let version = try rows.first?.get("version", as: Int32?.self) else { continue }
            latest = max(latest ?? 0, Int(version))
        }
        return latest
    }

    static func keysLeft(under version: Int, on pool: PostgresPool) async throws -> [String] {
        try await pool.query(
            "SELECT DISTINCT key_id FROM key_materials WHERE root_key_version(sealed) < \(Int32(version)) ORDER BY key_id"
        ).map { try $0.get("key_id") }
    }
}
