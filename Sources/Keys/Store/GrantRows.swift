import AWSProtocol
import FoundationEssentials
import Policies
import Postgres

/// Statements on grants. Each runs in the transaction it is handed.
enum GrantRows {
    private static let columns = """
        g.grant_id, k.arn AS key_arn, g.name, g.created_at, g.grantee, g.grantee_id, g.retiring, g.retiring_id,
        g.issuing_account, g.creator, g.creator_id, g.operations, g.context_equals, g.context_subset,
        g.source_arn
        """
    private static let tables = "key_grants g JOIN keys k USING (key_id)"

    static func find(_ id: String, keyID: String, on connection: PostgresConnection) async throws -> KeyGrant? {
        try await connection.query(
            "SELECT \(raw: columns) FROM \(raw: tables) WHERE g.grant_id = \(id) AND g.key_id = \(keyID)"
        ).first.map(grant)
    }

    /// Grants that name one of these principals and allow the operation.
    static func candidates(
        keyID: String, grantees: [String], operation: String, on connection: PostgresConnection
    ) async throws -> [KeyGrant] {
        try await connection.query(
            """
            SELECT \(raw: columns) FROM \(raw: tables)
            WHERE g.key_id = \(keyID) AND g.grantee = ANY (\(grantees)) AND \(operation) = ANY (g.operations)
            ORDER BY g.grant_id
            """
        ).map(grant)
    }

    /// How many there are, as the table's triggers count them.
    static func count(keyID: String, on connection: PostgresConnection) async throws -> Int {
        let rows = try await connection.query("SELECT grants FROM key_grant_counts WHERE key_id = \(keyID)")
        return Int(try rows.first?.get("grants", as: Int32.self) ?? 0)
    }

    /// The id of the grant with that name and those very parameters.
    static func named(
        _ name: String, fingerprint: [UInt8], keyID: String, on connection: PostgresConnection
    ) async throws -> String? {
        try await connection.query(
            "SELECT grant_id FROM key_grants WHERE key_id = \(keyID) AND name = \(name) AND fingerprint = \(fingerprint)"
        ).first?.get("grant_id")
    }

    static func insert(
        _ grant: KeyGrant, keyID: String, fingerprint: [UInt8], on connection: PostgresConnection
    ) async throws {
        try await connection.execute(
            """
            INSERT INTO key_grants (
                grant_id, key_id, name, created_at, grantee, grantee_id, retiring, retiring_id, issuing_account, creator,
                creator_id, operations, context_equals, context_subset, source_arn, fingerprint)
            VALUES (
                \(grant.id), \(keyID), \(grant.name as String?), \(grant.createdAt), \(grant.grantee),
                \(grant.granteeID as String?), \(grant.retiring as String?), \(grant.retiringID as String?),
                \(grant.issuingAccount), \(grant.creator), \(grant.creatorID), \(grant.operations.map(\.rawValue)),
                \(text(grant.constraints.equals) as String?), \(text(grant.constraints.subset) as String?),
                \(grant.sourceARN as String?), \(fingerprint))
            """)
    }

    /// False where somebody else was first.
    static func delete(_ id: String, keyID: String, on connection: PostgresConnection) async throws -> Bool {
        try await connection.execute("DELETE FROM key_grants WHERE grant_id = \(id) AND key_id = \(keyID)") == 1
    }

    static func list(
        keyID: String, grantID: String?, grantee: String?, after: String, limit: Int, on connection: PostgresConnection
    ) async throws -> [KeyGrant] {
        try await connection.query(
            """
            SELECT \(raw: columns) FROM \(raw: tables)
            WHERE g.key_id = \(keyID) AND g.grant_id > \(after)
              AND (\(grantID as String?)::text IS NULL OR g.grant_id = \(grantID as String?)::text)
              AND (\(grantee as String?)::text IS NULL OR g.grantee = \(grantee as String?)::text)
            ORDER BY g.grant_id LIMIT \(limit)
            """
        ).map(grant)
    }

    static func list(
        retiring: String, after: String, limit: Int, on connection: PostgresConnection
    ) async throws -> [KeyGrant] {
        try await connection.query(
            """
            SELECT \(raw: columns) FROM \(raw: tables)
            WHERE g.retiring = \(retiring) AND g.grant_id > \(after) ORDER BY g.grant_id LIMIT \(limit)
            """
        ).map(grant)
    }

    private static func text(_ pairs: [String: String]?) -> String? {
        pairs.map { JSONValue.stringMap($0).serializedString }
    }

    private static func pairs(_ text: String?) throws -> [String: String]? {
        guard let text else { return nil }
        var pairs: [String: String] = [:]
        for member in try JSONValue.parse(Array(text.utf8)).objectValue?.members ?? [] {
            pairs[member.key] = member.value.stringValue
        }
        return pairs
    }

    private static func grant(_ row: PostgresRow) throws -> KeyGrant {
        guard let arn = ARN(try row.get("key_arn", as: String.self)) else {
            throw KeyError.internal("A key in the database is malformed.")
        }
        let operations: [String] = try row.get("operations")
        return KeyGrant(
            id: try row.get("grant_id"), keyARN: arn, name: try row.get("name"), createdAt: try row.get("created_at"),
            grantee: try row.get("grantee"), granteeID: try row.get("grantee_id"), retiring: try row.get("retiring"),
            retiringID: try row.get("retiring_id"), issuingAccount: try row.get("issuing_account"),
            creator: try row.get("creator"), creatorID: try row.get("creator_id"),
            operations: operations.compactMap(GrantOperation.init),
            constraints: Grant.Constraints(
                equals: try pairs(try row.get("context_equals")), subset: try pairs(try row.get("context_subset"))),
            sourceARN: try row.get("source_arn"))
    }
}
