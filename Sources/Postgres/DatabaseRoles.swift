import FoundationEssentials

/// The roles of one database: its owner, who runs migrations, and one a process, whose rights are `migrations/roles/<set>.sql`.
///
/// Roles belong to the whole server and are made by its administrator (`create`); what they may do in the database is the
/// owner's to say (`grant`). A server without them serves as well, with one role for everything; `absent` tells.
package struct DatabaseRoles: Sendable {
    package let set: Migrations.Set
    private let directory: String

    /// `directory` is the folder `migrations`.
    package init(directory: String, set: Migrations.Set) {
        self.directory = directory
        self.set = set
    }

    /// The database, and the role that owns it.
    package static func owner(of set: Migrations.Set) -> String { "forecastle_\(set.rawValue)" }

    /// The processes and tools that have a role in the database.
    package static func processes(of set: Migrations.Set) -> [String] {
        switch set {
        case .jobs: ["api", "worker", "operator", "reader"]
        case .authority: ["server", "reader"]
        }
    }

    package static func name(of process: String, in set: Migrations.Set) -> String { "\(owner(of: set))_\(process)" }

    private var names: [String] { Self.processes(of: set).map { Self.name(of: $0, in: set) } }

    // MARK: As the server's administrator

    /// Makes roles and database where they are missing, and sets the passwords that are given. Repeating it is harmless.
    ///
    /// - Parameters:
    ///   - set: whose database it is.
    ///   - pool: of somebody who may make roles and databases, on any database of the server.
    ///   - password: of a role; nil leaves it as it is (other ways to log in: a certificate, the socket's peer).
    package static func create(
        _ set: Migrations.Set, on pool: PostgresPool, password: (String) throws -> ScramVerifier? = { _ in nil }
    ) async throws {
        let owner = owner(of: set)
        for name in [owner] + processes(of: set).map({ Self.name(of: $0, in: set) }) {
            if try await pool.query("SELECT 1 FROM pg_roles WHERE rolname = \(name)::name").isEmpty {
                try await pool.execute("CREATE ROLE \(raw: name)")
            }
            // One that was there before may have been given more since.
            try await pool.execute(
                "ALTER ROLE \(raw: name) LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS")
            if let verifier = try password(name) {
                try await pool.execute("ALTER ROLE \(raw: name) PASSWORD '\(raw: verifier.text)'")
            }
        }
        if try await pool.query("SELECT 1 FROM pg_database WHERE datname = \(owner)::name").isEmpty {
            try await pool.execute("CREATE DATABASE \(raw: owner) OWNER \(raw: owner)")
            try await pool.execute("REVOKE ALL ON DATABASE \(raw: owner) FROM PUBLIC")
        }
    }

    // MARK: As the owner

    /// Names of the roles that the server does not have.
    package func absent(on pool: PostgresPool) async throws -> [String] {
        let found = try await pool.query("SELECT rolname::text AS name FROM pg_roles WHERE rolname = ANY (\(names)::name[])")
        return Set(names).subtracting(try found.map { try $0.get("name", as: String.self) }).sorted()
    }

    /// Gives each role what the file says and takes everything else from it. Throws `.migration` where roles are missing.
    ///
    /// - Returns: whether anything had to change.
    @discardableResult
    package func grant(on pool: PostgresPool) async throws -> Bool {
        try await requireRoles(on: pool)
        let script = try script()
        // Looked at first: granting anew what is granted would make every session plan its statements again.
        guard try await differences(of: script, on: pool).isEmpty == false else { return false }
        try await pool.transaction { connection in try await run(script, on: connection) }
        return true
    }

    /// Throws `.migration`, naming what differs, unless every role has what the file says and no more.
    package func verify(on pool: PostgresPool) async throws {
        try await requireRoles(on: pool)
        let differences = try await differences(of: try script(), on: pool)
        guard differences.isEmpty else {
            throw MigrationFile.fault(
                "roles/\(set.rawValue).sql: rights differ from it on \(differences.sorted().joined(separator: ", ")); "
                    + "`forecastle migrate up` mends that.")
        }
    }

    /// Whether this session may do everything in the database, which nothing that serves should.
    package static func isOwner(on pool: PostgresPool) async throws -> Bool {
        try await pool.query(
            "SELECT pg_has_role(current_user, relowner, 'USAGE') AS owns FROM pg_class WHERE oid = to_regclass('schema_migrations')"
        ).first?.get("owns") ?? false
    }

    private func requireRoles(on pool: PostgresPool) async throws {
        let absent = try await absent(on: pool)
        guard absent.isEmpty else {
            throw MigrationFile.fault(
                "The server has no role \(absent.joined(separator: ", ")); its administrator makes them with "
                    + "`forecastle migrate roles`.")
        }
    }

    private func script() throws -> String {
        let file = "\(directory)/roles/\(set.rawValue).sql"
        guard let data = FileManager.default.contents(atPath: file), let text = String(validating: data, as: UTF8.self) else {
            throw MigrationFile.fault("\(file): cannot be read.")
        }
        return text
    }

    private func run(_ script: String, on connection: PostgresConnection) async throws {
        try await Migrations.lock(on: connection)
        do {
            try await connection.run(script: script, timeout: Migrations.migrationTimeout)
        } catch var error as PostgresError {
            error.message = "roles/\(set.rawValue).sql: \(error.message)"
            throw error
        }
    }

    /// What the file would change, by name: it is run and rolled back.
    private func differences(of script: String, on pool: PostgresPool) async throws -> Set<String> {
        struct Undo: Error { var differences: Set<String> }
        do {
            try await pool.transaction { connection in
                let before = try await Self.rights(on: connection)
                try await run(script, on: connection)
                let after = try await Self.rights(on: connection)
                throw Undo(differences: Set(before.symmetricDifference(after).map(\.object)))
            }
            return []
        } catch let undo as Undo {
            return undo.differences
        }
    }

    private struct Right: Hashable {
        var object: String
        var text: String
    }

    /// Every right on the database, its tables, columns and functions, and those that new tables begin with.
    private static func rights(on connection: PostgresConnection) async throws -> Set<Right> {
        let rows = try await connection.query(
            """
            WITH object AS (
                SELECT c.relname::text AS name, coalesce(c.relacl, acldefault('r', c.relowner)) AS acl FROM pg_class c
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
                UNION ALL
                SELECT c.relname || '.' || a.attname, a.attacl FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                WHERE c.relnamespace = 'public'::regnamespace AND a.attacl IS NOT NULL AND NOT a.attisdropped
                UNION ALL
                SELECT p.proname || '()', coalesce(p.proacl, acldefault('f', p.proowner)) FROM pg_proc p
                WHERE p.pronamespace = 'public'::regnamespace
                UNION ALL
                SELECT 'the database', coalesce(d.datacl, acldefault('d', d.datdba)) FROM pg_database d
                WHERE d.datname = current_database()
                UNION ALL
                SELECT 'new tables', d.defaclacl FROM pg_default_acl d WHERE d.defaclrole = to_regrole(current_user::text)
            )
            SELECT name, e.grantee::regrole::text || ' ' || e.privilege_type || ' ' || e.is_grantable AS text
            FROM object CROSS JOIN LATERAL aclexplode(acl) AS e
            """)
        return Set(try rows.map { Right(object: try $0.get("name"), text: try $0.get("text")) })
    }
}
