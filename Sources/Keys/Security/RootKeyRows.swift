import Postgres

/// A version of the root key as the database has it.
package struct RootKeyVersion: Sendable, Equatable {
    package enum State: String, Sendable, PostgresEncodable, PostgresDecodable { case current, retiring, retired }

    package let version: Int
    package let fingerprint: [UInt8]
    package let state: State
}

/// Statements on versions of the root key.
enum RootKeyRows {
    static func list(on connection: PostgresConnection) async throws -> [RootKeyVersion] {
        try await connection.query("SELECT version, fingerprint, state FROM root_keys ORDER BY version").map {
            RootKeyVersion(
                version: Int(try $0.get("version", as: Int32.self)), fingerprint: try $0.get("fingerprint"),
                state: try $0.get("state"))
        }
    }

    static func current(on connection: PostgresConnection) async throws -> Int? {
        try await connection.query("SELECT version FROM root_keys WHERE state = 'current'").first.map {
            Int(try $0.get("version", as: Int32.self))
        }
    }

    /// Of several first starts at once one writes the row.
    static func insertFirst(_ version: Int, fingerprint: [UInt8], on connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            INSERT INTO root_keys (version, fingerprint, state)
            SELECT \(Int32(version)), \(fingerprint), 'current' WHERE NOT EXISTS (SELECT FROM root_keys)
            ON CONFLICT DO NOTHING
            """)
    }

    static func insertNext(_ version: Int, fingerprint: [UInt8], after previous: Int, on connection: PostgresConnection)
        async throws
    {
        let counts = try await connection.executePipeline([
            "UPDATE root_keys SET state = 'retiring' WHERE version = \(Int32(previous)) AND state = 'current'",
            "INSERT INTO root_keys (version, fingerprint, state) VALUES (\(Int32(version)), \(fingerprint), 'current')",
        ])
        guard counts == [1, 1] else {
            throw SecurityError(.rotation, "Another rotation of the root key is under way; start again.")
        }
    }

    static func retire(_ version: Int, on connection: PostgresConnection) async throws {
        let changed = try await connection.execute(
            """
            UPDATE root_keys SET state = 'retired', retired_at = clock_timestamp()
            WHERE version = \(Int32(version)) AND state = 'retiring'
            """)
        guard changed == 1 else {
            throw SecurityError(.rotation, "Version \(version) of the root key was retired by somebody else meanwhile.")
        }
    }
}
