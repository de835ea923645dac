import Foundation
import Postgres
import PostgresTesting
import Testing

/// What each role may do, table by table, and what that comes to in statements. The rights themselves are
/// `migrations/roles/*.sql`; this says the same independently, so that neither changes unnoticed.
@Suite(.enabled(if: TestDatabase.isAvailable), .serialized) struct DatabaseRolesTests {
    /// `s`elect, `i`nsert, `u`pdate, `d`elete; of some columns at least. Nobody has more than these four.
    private static let jobs: [String: [String: String]] = [
        "resources": ["api": "siud", "worker": "su", "operator": "su", "reader": "s"],
        "job": ["api": "siu", "worker": "sud", "operator": "siu", "reader": "s"],
        "job_task": ["api": "siu", "worker": "siud", "operator": "siud", "reader": "s"],
        "job_object": ["api": "su", "worker": "siud", "operator": "s", "reader": "s"],
        "job_chunk": ["worker": "si", "operator": "s", "reader": "s"],
        "job_grant": ["api": "siu", "worker": "siud", "operator": "sud", "reader": "s"],
        "job_history": ["api": "s", "worker": "si", "operator": "sd", "reader": "s"],
        "job_dead_letter": ["worker": "sid", "operator": "su", "reader": "s"],
        "job_ring": ["worker": "siud", "operator": "s", "reader": "s"],
        "job_worker": ["worker": "siud", "operator": "s", "reader": "s"],
        "leadership": ["worker": "siud", "operator": "s", "reader": "s"],
        "outbox": ["api": "siud", "worker": "siud", "operator": "si", "reader": "s"],
        "external_id": ["api": "si", "worker": "si", "operator": "si", "reader": "s"],
        "schema_migrations": ["api": "s", "worker": "s", "operator": "s", "reader": "s"],
    ]

    private static let authority: [String: [String: String]] = {
        var rights: [String: [String: String]] = [
            "audit_records": ["server": "si"], "audit_shards": ["server": "siu"], "accounts": ["server": "siu"],
            "keys": ["server": "siu"], "security_state": ["server": "su"], "security_changes": ["server": "sid"],
            "security_versions": ["server": "siu"], "root_keys": ["server": "siu"], "schema_migrations": ["server": "s"],
        ]
        for table in [
            "users", "access_keys", "roles", "sessions", "user_policies", "role_policies", "user_groups", "group_members",
            "group_policies", "managed_policies", "managed_policy_versions", "user_attachments", "group_attachments",
            "role_attachments", "mfa_devices", "account_aliases", "key_materials", "key_aliases", "key_grants",
            "key_grant_counts",
        ] { rights[table] = ["server": "siud"] }
        return rights.mapValues { $0.merging(["reader": "s"]) { $1 } }
    }()

    private struct Attempt: Sendable {
        var role: String
        var statement: String
        var isAllowed: Bool
    }

    private static func allowed(_ role: String, _ statement: String) -> Attempt {
        Attempt(role: role, statement: statement, isAllowed: true)
    }
    private static func refused(_ role: String, _ statement: String) -> Attempt {
        Attempt(role: role, statement: statement, isAllowed: false)
    }

    /// Statements that touch no row: rights are asked for all the same.
    private static let jobsAttempts: [Attempt] = [
        // What a job is to do is signed; nobody changes it, and workers make none.
        refused("api", "UPDATE job SET specification = '' WHERE false"),
        refused("api", "UPDATE job SET signature = '' WHERE false"),
        refused("worker", "UPDATE job SET specification = '' WHERE false"),
        refused("worker", "UPDATE job SET account = '' WHERE false"),
        refused("worker", "INSERT INTO job SELECT * FROM job WHERE false"),
        refused("operator", "UPDATE job SET specification = '' WHERE false"),
        allowed("api", "INSERT INTO job SELECT * FROM job WHERE false"),
        allowed("worker", "UPDATE job SET state = 'running' WHERE false"),
        // What was published is not the API's to exchange.
        refused("api", "UPDATE resources SET manifest_object = '' WHERE false"),
        refused("api", "UPDATE job SET manifest_digest = '' WHERE false"),
        refused("api", "DELETE FROM job WHERE false"),
        allowed("worker", "UPDATE resources SET manifest_object = '' WHERE false"),
        refused("worker", "UPDATE resources SET key_arn = '' WHERE false"),
        refused("worker", "INSERT INTO resources SELECT * FROM resources WHERE false"),
        // The inside of the engine.
        refused("api", "SELECT FROM job_chunk"),
        refused("api", "SELECT lease_until FROM job_task"),
        refused("api", "SELECT FROM leadership"),
        refused("api", "INSERT INTO job_grant (name, job) SELECT '', NULL WHERE false"),
        refused("api", "DELETE FROM job_grant WHERE false"),
        allowed("api", "SELECT id, state FROM job_task"),
        // History is added to.
        refused("worker", "UPDATE job_history SET message = '' WHERE false"),
        refused("worker", "DELETE FROM job_history WHERE false"),
        allowed("worker", "SELECT job_history_make_day('20260102')"),
        allowed("worker", "SELECT job_history_drop_days(30)"),
        refused("api", "SELECT job_history_make_day('20260102')"),
        refused("operator", "SELECT job_history_drop_days(30)"),
        refused("worker", "CREATE TABLE job_history_20260103 (LIKE job_history)"),
        refused("worker", "DROP TABLE job_ring"),
        refused("worker", "TRUNCATE outbox"),
        refused("reader", "UPDATE job SET state = 'failed' WHERE false"),
        refused("reader", "INSERT INTO outbox (topic, payload) VALUES ('t', '')"),
    ]

    private static let authorityAttempts: [Attempt] = [
        allowed("server", "INSERT INTO audit_records (shard) SELECT NULL WHERE false"),
        refused("server", "UPDATE audit_records SET record = '' WHERE false"),
        refused("server", "DELETE FROM audit_records WHERE false"),
        refused("server", "TRUNCATE audit_records"),
        refused("server", "ALTER TABLE audit_records DISABLE TRIGGER USER"),
        refused("server", "DROP TABLE audit_records"),
        refused("server", "DELETE FROM audit_shards WHERE false"),
        refused("server", "TRUNCATE audit_shards"),
        refused("server", "UPDATE audit_shards SET started_at = now() WHERE false"),
        allowed("server", "UPDATE audit_shards SET sequence = 1 WHERE false"),
        refused("server", "DELETE FROM keys WHERE false"),
        refused("server", "DELETE FROM root_keys WHERE false"),
        refused("server", "DELETE FROM security_versions WHERE false"),
        refused("server", "SET session_replication_role = 'replica'"),
        refused("reader", "INSERT INTO audit_records (shard) SELECT NULL WHERE false"),
        refused("reader", "DELETE FROM audit_records WHERE false"),
        refused("reader", "UPDATE keys SET state = 'Enabled' WHERE false"),
        refused("reader", "SELECT FROM audit_records FOR UPDATE"),
        allowed("reader", "SELECT record FROM audit_records"),
    ]

    private static let insufficientPrivilege = "42501"

    private func with(_ set: Migrations.Set, _ body: (PostgresPool, DatabaseRoles) async throws -> Void) async throws {
        try await TestDatabase.with(migrations: set) { pool in
            try await makeRoles(on: pool)
            let roles = DatabaseRoles(directory: TestDatabase.migrationsDirectory, set: set)
            #expect(try await roles.grant(on: pool))
            try await body(pool, roles)
        }
    }

    /// Roles are the server's and stay; other test processes may make them at the same moment.
    private func makeRoles(on pool: PostgresPool) async throws {
        try await pool.transaction { connection in
            try await connection.execute("SELECT pg_advisory_xact_lock(4711)")
            for set in Migrations.Set.allCases {
                for name in [DatabaseRoles.owner(of: set)]
                    + DatabaseRoles.processes(of: set).map({ DatabaseRoles.name(of: $0, in: set) })
                {
                    guard try await connection.query("SELECT 1 FROM pg_roles WHERE rolname = \(name)::name").isEmpty else {
                        continue
                    }
                    try await connection.execute("CREATE ROLE \(raw: name) LOGIN")
                }
            }
        }
    }

    @Test(arguments: Migrations.Set.allCases)
    func eachRoleHasWhatTheTableSays(_ database: Migrations.Set) async throws {
        let expected = database == .jobs ? Self.jobs : Self.authority
        try await with(database) { pool, _ in
            let tables: [String] = try await pool.query(
                """
                SELECT c.relname::text AS name FROM pg_class c
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                """
            ).map { try $0.get("name") }
            #expect(Set(tables) == Set(expected.keys), "a table without a row here, or a row without a table")
            for set in Migrations.Set.allCases {
                for process in DatabaseRoles.processes(of: set) {
                    for table in tables {
                        let rights = try await rights(of: DatabaseRoles.name(of: process, in: set), on: table, pool)
                        // Roles of the other database have none here.
                        #expect(
                            rights == (set == database ? expected[table]?[process] ?? "" : ""), "\(set) \(process) on \(table)")
                    }
                }
            }
        }
    }

    private func rights(of role: String, on table: String, _ pool: PostgresPool) async throws -> String {
        let row = try await pool.query(
            """
            SELECT has_any_column_privilege(\(role)::name, \(table), 'SELECT') AS s,
                   has_any_column_privilege(\(role)::name, \(table), 'INSERT') AS i,
                   has_any_column_privilege(\(role)::name, \(table), 'UPDATE') AS u,
                   has_table_privilege(\(role)::name, \(table), 'DELETE') AS d,
                   has_table_privilege(\(role)::name, \(table), 'TRUNCATE, REFERENCES, TRIGGER') AS more
            """)[0]
        var letters = ""
        for letter in ["s", "i", "u", "d"] where try row.get(letter, as: Bool.self) { letters += letter }
        return try letters + (row.get("more", as: Bool.self) ? " and more" : "")
    }

    @Test(arguments: Migrations.Set.allCases)
    func whatARoleMayNotDoIsRefused(_ set: Migrations.Set) async throws {
        try await with(set) { pool, _ in
            for attempt in set == .jobs ? Self.jobsAttempts : Self.authorityAttempts {
                let role = DatabaseRoles.name(of: attempt.role, in: set)
                let state = try await outcome(of: attempt.statement, as: role, on: pool)
                if attempt.isAllowed {
                    #expect(state == nil, "\(attempt.role): \(attempt.statement)")
                } else {
                    #expect(state == Self.insufficientPrivilege, "\(attempt.role): \(attempt.statement)")
                }
            }
        }
    }

    /// The SQLSTATE that it ended with; nil where it went through.
    private func outcome(of statement: String, as role: String, on pool: PostgresPool) async throws -> String? {
        struct Undo: Error {}
        do {
            try await pool.transaction { connection in
                // Rights are asked of the session's user where it is no superuser: as if it had logged in so.
                try await connection.execute("SET LOCAL SESSION AUTHORIZATION \(raw: role)")
                _ = try await connection.query("\(raw: statement)")
                throw Undo()
            }
            return nil
        } catch is Undo {
            return nil
        } catch let error as PostgresError {
            return error.sqlState ?? "none"
        }
    }

    @Test func rolesOfOneDatabaseCannotConnectToTheOther() async throws {
        for set in Migrations.Set.allCases {
            try await with(set) { pool, _ in
                for other in Migrations.Set.allCases {
                    for process in DatabaseRoles.processes(of: other) {
                        let row = try await pool.query(
                            "SELECT has_database_privilege(\(DatabaseRoles.name(of: process, in: other))::name, current_database(), 'CONNECT') AS can"
                        )
                        #expect(try row[0].get("can", as: Bool.self) == (set == other), "\(other) \(process) to \(set)")
                    }
                }
            }
        }
    }

    /// What the rights leave open the triggers close: the owner may do everything with its tables.
    @Test func notEvenTheOwnerChangesTheTrail() async throws {
        try await TestDatabase.with(migrations: .authority) { pool in
            let shard = UUID()
            try await pool.execute(
                "INSERT INTO audit_shards (shard, hash) VALUES (\(shard), decode(repeat('00', 32), 'hex'))")
            try await pool.execute(
                """
                INSERT INTO audit_records (shard, sequence, previous_hash, hash, account, event_id, event_time, event_source,
                                           event_name, read_only, resource_types, resource_names, record)
                VALUES (\(shard), 1, decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'), '123456789012',
                        gen_random_uuid(), date_trunc('second', now()), 'kms.amazonaws.com', 'Decrypt', true, '{}', '{}', '{}')
                """)
            for statement: PostgresQuery in [
                "UPDATE audit_records SET record = '[]'", "DELETE FROM audit_records", "TRUNCATE audit_records",
                "DELETE FROM audit_shards", "TRUNCATE audit_shards CASCADE",
            ] {
                let error = await #expect(throws: PostgresError.self) { try await pool.execute(statement) }
                #expect(error?.sqlState == "23001")
            }
        }
    }

    @Test func rightsThatDifferAreFoundAndMended() async throws {
        try await with(.jobs) { pool, roles in
            try await roles.verify(on: pool)
            #expect(try await !roles.grant(on: pool))
            try await pool.execute("GRANT DELETE ON job TO forecastle_jobs_api")
            try await pool.execute("REVOKE INSERT ON outbox FROM forecastle_jobs_worker")
            let error = await #expect(throws: PostgresError.self) { try await roles.verify(on: pool) }
            #expect(error?.message.contains("differ from it on job, outbox;") == true)
            #expect(try await roles.grant(on: pool))
            try await roles.verify(on: pool)
        }
    }

    @Test func aDayOfTheHistoryThatIsMadeLaterCanBeLookedAt() async throws {
        try await with(.jobs) { pool, roles in
            _ = try await pool.query("SELECT job_history_make_day('20260102')")
            #expect(try await outcome(of: "SELECT FROM job_history_20260102", as: "forecastle_jobs_reader", on: pool) == nil)
            #expect(
                try await outcome(of: "SELECT FROM job_history_20260102", as: "forecastle_jobs_worker", on: pool)
                    == Self.insufficientPrivilege)
            try await roles.verify(on: pool)
            let error = await #expect(throws: PostgresError.self) {
                _ = try await pool.query("SELECT job_history_make_day('2026; DROP')")
            }
            #expect(error?.sqlState == "22023")
        }
    }
}
