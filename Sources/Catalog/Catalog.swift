package import AWSProtocol
package import FoundationEssentials
package import Postgres

/// Names, states and parents of resources. Changes run on the caller's connection, so that a job's transaction can
/// change a resource with everything else or not at all.
package struct Catalog: Sendable {
    let pool: PostgresPool

    package init(pool: PostgresPool) {
        self.pool = pool
    }
}

// MARK: Reading

extension Catalog {
    package func find(_ arn: String) async throws -> Resource? {
        try await pool.query("SELECT \(raw: Resource.columns) FROM resources WHERE arn = \(arn)").first.map(Resource.init(row:))
    }

    package static func find(_ arn: String, on connection: PostgresConnection) async throws -> Resource? {
        try await connection.query("SELECT \(raw: Resource.columns) FROM resources WHERE arn = \(arn)")
            .first.map(Resource.init(row:))
    }

    /// A resource by its name, for types whose ARN says more than that.
    package func find(named name: String, type: ResourceType, account: String) async throws -> Resource? {
        try await pool.query(Self.named(name, type, account)).first.map(Resource.init(row:))
    }

    private static func named(_ name: String, _ type: ResourceType, _ account: String) -> PostgresQuery {
        """
        SELECT \(raw: Resource.columns) FROM resources
        WHERE account = \(account) AND type = \(type.rawValue) AND name = \(name) LIMIT 1
        """
    }

    /// Keeps a name until the end of the transaction, so that of two who ask for it at once the second sees the first's.
    ///
    /// - Returns: who has it already.
    package static func lock(
        name: String, type: ResourceType, account: String, on connection: PostgresConnection
    ) async throws -> Resource? {
        try await connection.query(
            "SELECT pg_advisory_xact_lock(hashtextextended(\("\(account) \(type.rawValue) \(name)"), 0))")
        return try await connection.query(named(name, type, account)).first.map(Resource.init(row:))
    }

    /// Children of `parent` with one of the statuses, oldest first; at most `limit`.
    package func children(
        of parent: String, type: ResourceType? = nil, statuses: [ResourceStatus] = ResourceStatus.allCases, limit: Int = 10_000
    ) async throws -> [Resource] {
        let types = type.map { [$0.rawValue] } ?? ResourceType.allCases.map(\.rawValue)
        return try await pool.query(
            """
            SELECT \(raw: Resource.columns) FROM resources
            WHERE parent_arn = \(parent) AND type = ANY(\(types)) AND status = ANY(\(statuses.map(\.rawValue)))
            ORDER BY created_at, arn LIMIT \(limit)
            """
        ).map(Resource.init(row:))
    }

    package func count(account: String, type: ResourceType, statuses: [ResourceStatus]) async throws -> Int {
        try await pool.query(
            """
            SELECT count(*) AS n FROM resources
            WHERE account = \(account) AND type = \(type.rawValue) AND status = ANY(\(statuses.map(\.rawValue)))
            """
        ).first?.get("n", as: Int.self) ?? 0
    }

    /// The database's clock: `LastModificationTime` of a resource that a job is at work on.
    package func now() async throws -> Date {
        guard let row = try await pool.query("SELECT now() AS now").first else { return Date() }
        return try row.get("now", as: Date.self)
    }
}

// MARK: Changing

extension Catalog {
    /// Inserts a resource; `alreadyExists` where the ARN is taken.
    package static func insert(_ resource: Resource, on connection: PostgresConnection) async throws {
        let inserted = try await connection.execute(
            """
            INSERT INTO resources (arn, account, type, name, incarnation, status, parent_arn, request, attributes, key_arn, role_arn, job)
            VALUES (\(resource.arn), \(resource.account), \(resource.type.rawValue), \(resource.name), \(resource.incarnation),
                    \(resource.status.rawValue), \(resource.parentARN), \(resource.request.serializedString),
                    \(resource.attributes.serializedString), \(resource.encryption?.keyARN), \(resource.encryption?.roleARN),
                    \(resource.job))
            ON CONFLICT (arn) DO NOTHING
            """)
        guard inserted == 1 else {
            throw CatalogError(.alreadyExists, "A resource already exists with the arn: \(resource.arn)")
        }
    }

    /// Moves one life of a resource from one of `from` to `to`; false where it was in none of them, or is gone.
    @discardableResult
    package static func move(
        _ arn: String, incarnation: UUID, from: [ResourceStatus], to: ResourceStatus, message: String? = nil,
        on connection: PostgresConnection
    ) async throws -> Bool {
        try await connection.execute(
            """
            UPDATE resources SET status = \(to.rawValue), message = \(message), modified_at = now()
            WHERE arn = \(arn) AND incarnation = \(incarnation) AND status = ANY(\(from.map(\.rawValue)))
            """) == 1
    }

    /// Records the artifact of a resource that turns ACTIVE in the same transaction.
    package static func publish(
        _ arn: String, incarnation: UUID, manifest: Resource.Manifest?, attributes: JSONObject?, on connection: PostgresConnection
    ) async throws {
        let changed = try await connection.execute(
            """
            UPDATE resources SET status = 'ACTIVE', message = NULL, modified_at = now(),
                manifest_object = \(manifest?.objectName), manifest_digest = \(manifest?.digest),
                manifest_generation = \(manifest?.generation), attributes = COALESCE(\(attributes?.serializedString), attributes)
            WHERE arn = \(arn) AND incarnation = \(incarnation)
                AND status IN ('CREATE_PENDING', 'CREATE_IN_PROGRESS', 'CREATE_STOPPING')
            """)
        guard changed == 1 else {
            throw CatalogError(.statusChanged, "The resource is no longer being created: \(arn)")
        }
    }

    /// Replaces what the system keeps beside the request.
    package static func setAttributes(_ arn: String, _ attributes: JSONObject, on connection: PostgresConnection) async throws {
        let changed = try await connection.execute(
            "UPDATE resources SET attributes = \(attributes.serializedString), modified_at = now() WHERE arn = \(arn)")
        guard changed == 1 else { throw CatalogError(.statusChanged, "The resource is gone: \(arn)") }
    }

    /// Locks a resource until the end of the transaction, so that its state can't change between a check and a child's insertion.
    package static func lock(_ arn: String, on connection: PostgresConnection) async throws -> Resource? {
        try await connection.query("SELECT \(raw: Resource.columns) FROM resources WHERE arn = \(arn) FOR UPDATE")
            .first.map(Resource.init(row:))
    }

    /// Whether anything was made from a resource that is still there.
    package static func hasChildren(_ arn: String, on connection: PostgresConnection) async throws -> Bool {
        try await !connection.query("SELECT 1 FROM resources WHERE parent_arn = \(arn) LIMIT 1").isEmpty
    }

    /// Whether a job is at work on something that is made from a resource.
    package static func hasChildInProgress(_ arn: String, on connection: PostgresConnection) async throws -> Bool {
        let statuses = ResourceStatus.allCases.filter(\.isInProgress).map(\.rawValue)
        return try await !connection.query(
            "SELECT 1 FROM resources WHERE parent_arn = \(arn) AND status = ANY(\(statuses)) LIMIT 1"
        ).isEmpty
    }

    /// Removes one life of a resource; false where it is in no state that may be deleted, or is gone.
    @discardableResult
    package static func remove(_ arn: String, incarnation: UUID, on connection: PostgresConnection) async throws -> Bool {
        let deletable = ResourceStatus.allCases.filter(\.isDeletable).map(\.rawValue)
        return try await connection.execute(
            "DELETE FROM resources WHERE arn = \(arn) AND incarnation = \(incarnation) AND status = ANY(\(deletable))") == 1
    }
}
