import Freshness
import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct SecurityVersionsTests {
    /// Tables that no decision rests on.
    private static let exempt: Set<String> = [
        "schema_migrations", "security_versions", "key_grant_counts", "audit_records", "audit_shards", "security_state",
        "security_changes", "root_keys",
    ]

    @Test func everyTableThatADecisionMayRestOnCountsItsChanges() async throws {
        try await TestDatabase.with(migrations: .authority) { pool in
            let rows = try await pool.query(
                """
                SELECT c.relname::text AS name, bit_or(CASE WHEN f.proname LIKE 'security\\_%\\_changed' THEN t.tgtype ELSE 0 END)::int AS events
                FROM pg_class c LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled = 'O'
                LEFT JOIN pg_proc f ON f.oid = t.tgfoid
                WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace GROUP BY 1
                """)
            #expect(rows.count > 10)
            for row in rows {
                let name: String = try row.get("name")
                guard !Self.exempt.contains(name) else { continue }
                let events: Int32 = try row.get("events")
                // Bits of pg_trigger.tgtype. Making a session takes no right from anybody, and happens all the time.
                for (bit, event) in [(Int32(4), "INSERT"), (8, "DELETE"), (16, "UPDATE"), (32, "TRUNCATE")]
                where !(name == "sessions" && event == "INSERT") {
                    #expect(
                        events & bit != 0,
                        "\(name): \(event) counts no security version; add a trigger, or the table to the exempt ones")
                }
            }
        }
    }

    private func prepare(_ pool: PostgresPool) async throws {
        for statement: PostgresQuery in [
            "INSERT INTO accounts (account, name) VALUES ('123456789012', 'a'), ('444455556666', 'b')",
            "INSERT INTO users (user_id, account, path, name) VALUES ('AIDAAAAAAAAAAAAAAAAAA', '123456789012', '/', 'u')",
            """
            INSERT INTO roles (role_id, account, path, name, trust_policy)
            VALUES ('AROAAAAAAAAAAAAAAAAAA', '123456789012', '/', 'r', '{}')
            """,
            """
            INSERT INTO access_keys (access_key_id, account, user_id, sealed_secret)
            VALUES ('AKIAAAAAAAAAAAAAAAAA', '123456789012', 'AIDAAAAAAAAAAAAAAAAAA', '')
            """,
            "INSERT INTO user_policies (user_id, name, document) VALUES ('AIDAAAAAAAAAAAAAAAAAA', 'p', '{}')",
            "INSERT INTO role_policies (role_id, name, document) VALUES ('AROAAAAAAAAAAAAAAAAAA', 'p', '{}')",
            """
            INSERT INTO keys (key_id, account, arn, description, state, policy, current_material)
            VALUES ('k', '123456789012', 'arn:k', '', 'Enabled', '{}', sha256('m')),
                   ('l', '123456789012', 'arn:l', '', 'Enabled', '{}', sha256('m'))
            """,
            "INSERT INTO key_materials (key_id, material, version, sealed) VALUES ('k', sha256('m'), 1, decode(repeat('00', 60), 'hex'))",
            "INSERT INTO key_aliases (account, name, key_id) VALUES ('123456789012', 'alias/a', 'k')",
            """
            INSERT INTO key_grants (grant_id, key_id, grantee, issuing_account, creator, creator_id, operations, fingerprint)
            VALUES (repeat('0', 64), 'k', 'arn:g', '123456789012', 'c', 'c', '{Decrypt}', sha256('f'))
            """,
            """
            INSERT INTO sessions (access_key_id, role_id, name, sealed_secret, token_digest, created_at, expires_at)
            VALUES ('ASIAAAAAAAAAAAAAAAAA', 'AROAAAAAAAAAAAAAAAAAA', 'live', '', sha256(''), now(), now() + interval '1 hour'),
                   ('ASIABBBBBBBBBBBBBBBB', 'AROAAAAAAAAAAAAAAAAAA', 'over', '', sha256(''), now() - interval '2 h', now() - interval '1 h')
            """,
        ] { try await pool.execute(statement) }
    }

    private static let changes: [(PostgresQuery, Set<Scope>)] = [
        ("UPDATE keys SET state = 'Disabled' WHERE key_id = 'k'", [.key("k")]),
        ("UPDATE keys SET policy = '[]' WHERE key_id = 'k'", [.key("k")]),
        ("DELETE FROM key_grants", [.key("k")]),
        ("DELETE FROM key_materials", [.key("k")]),
        ("UPDATE key_aliases SET key_id = 'l'", [.key("k"), .key("l")]),
        ("DELETE FROM key_aliases", [.key("k")]),
        ("UPDATE access_keys SET status = 'Inactive'", [.account("123456789012")]),
        ("DELETE FROM access_keys", [.account("123456789012")]),
        ("UPDATE user_policies SET document = '[]'", [.account("123456789012")]),
        ("DELETE FROM user_policies", [.account("123456789012")]),
        (
            "INSERT INTO role_policies (role_id, name, document) VALUES ('AROAAAAAAAAAAAAAAAAAA', 'q', '{}')",
            [.account("123456789012")]
        ),
        ("DELETE FROM role_policies", [.account("123456789012")]),
        ("UPDATE roles SET trust_policy = '[]'", [.account("123456789012")]),
        ("DELETE FROM roles", [.account("123456789012")]),
        ("DELETE FROM sessions WHERE name = 'live'", [.account("123456789012")]),
        ("DELETE FROM sessions WHERE name = 'over'", []),
        ("TRUNCATE user_policies", [.everything]),
        ("UPDATE keys SET state = state WHERE key_id = 'absent'", []),
    ]

    @Test func eachChangeCountsItsScopeAndNoOther() async throws {
        try await TestDatabase.with(migrations: .authority) { pool in
            try await prepare(pool)
            let scopes: Set<Scope> = [.key("k"), .key("l"), .account("123456789012"), .account("444455556666"), .everything]
            for (statement, expected) in Self.changes {
                // Taken back, so that each finds the rows as they were made.
                let changed = Set(
                    await Self.takenBack(pool) { connection in
                        let before = try await connection.query("SELECT scope, version FROM security_versions")
                        try await connection.execute(statement)
                        let after = try await connection.query("SELECT scope, version FROM security_versions")
                        let (old, new) = try (
                            ScopeVersions(rows: before, asked: scopes), ScopeVersions(rows: after, asked: scopes)
                        )
                        return scopes.filter { old[$0] != new[$0] }
                    })
                #expect(changed == expected, "\(statement.sql)")
            }
        }
    }

    private struct Undo: Error {
        let scopes: Set<Scope>
    }

    private static func takenBack(
        _ pool: PostgresPool, _ body: @Sendable (PostgresConnection) async throws -> Set<Scope>
    ) async -> Set<Scope> {
        do {
            try await pool.transaction { throw Undo(scopes: try await body($0)) }
            return []
        } catch let undo as Undo {
            return undo.scopes
        } catch {
            Issue.record(error)
            return []
        }
    }

    @Test func aTransactionCountsOnceAndItsOwnChangeIsNoneToItself() async throws {
        try await TestDatabase.with(migrations: .authority) { pool in
            try await prepare(pool)
            let read = { @Sendable () async throws -> Int64? in
                try await pool.withConnection { try await $0.securityVersions(of: [.key("k")])[.key("k")] }
            }
            let before = try #require(try await read())
            try await pool.transaction { connection in
                try await connection.execute("UPDATE keys SET state = 'Disabled' WHERE key_id = 'k'")
                try await connection.execute("UPDATE keys SET state = 'Enabled' WHERE key_id = 'k'")
                #expect(try await connection.securityVersions(of: [.key("k")])[.key("k")] == before)
                #expect(try await read() == before)
            }
            #expect(try await read() == before + 1)
        }
    }

    @Test func aVersionOnlyCountsUp() async throws {
        try await TestDatabase.with(migrations: .authority) { pool in
            try await prepare(pool)
            for statement: PostgresQuery in [
                "UPDATE security_versions SET version = version", "UPDATE security_versions SET version = version + 2",
                "UPDATE security_versions SET scope = scope || 'x', version = version + 1", "DELETE FROM security_versions",
                "TRUNCATE security_versions",
            ] {
                let error = await #expect(throws: PostgresError.self) { try await pool.execute(statement) }
                #expect(error?.sqlState == "23001")
            }
        }
    }
}
