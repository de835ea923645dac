package import Postgres

extension AccountsStore {
    /// Adds a version. With `asDefault` it is in force from the next decision.
    package func createVersion(
        of policy: ManagedPolicyEntity, document: String, asDefault: Bool, on connection: PostgresConnection
    ) async throws -> PolicyVersionEntity {
        try check(managed: document)
        try await lock(policy, on: connection)
        guard try await versions(of: policy, on: connection).count < Self.maximumPolicyVersions else {
            throw AccountsError(
                .limitExceeded,
                "A managed policy can have up to \(Self.maximumPolicyVersions) versions. Before you create a new version, you "
                    + "must delete an existing version.")
        }
        let numbers = try await connection.query(
            """
            UPDATE managed_policies SET latest_version = latest_version + 1, updated_at = \(raw: Self.now)
            WHERE policy_id = \(policy.policyID) RETURNING latest_version
            """)
        guard let row = numbers.first else { throw Self.missing(policy) }
        let number = Int(try row.get("latest_version", as: Int32.self))
        try await connection.execute(
            """
            INSERT INTO managed_policy_versions (policy_id, version, document)
            VALUES (\(policy.policyID), \(number), \(document))
            """)
        if asDefault { try await setDefaultVersion(number, of: policy, on: connection) }
        return try await version(number, of: policy, on: connection)
    }

    /// Newest first.
    package func versions(
        of policy: ManagedPolicyEntity, on connection: PostgresConnection
    ) async throws -> [PolicyVersionEntity] {
        try await connection.query(
            "\(raw: Self.selectVersion) WHERE v.policy_id = \(policy.policyID) ORDER BY v.version DESC"
        ).map(Self.version)
    }

    package func version(
        _ number: Int, of policy: ManagedPolicyEntity, on connection: PostgresConnection
    ) async throws -> PolicyVersionEntity {
        let rows = try await connection.query(
            "\(raw: Self.selectVersion) WHERE v.policy_id = \(policy.policyID) AND v.version = \(number)")
        guard let row = rows.first else { throw Self.missingVersion(number, of: policy) }
        return try Self.version(row)
    }

    package func setDefaultVersion(
        _ number: Int, of policy: ManagedPolicyEntity, on connection: PostgresConnection
    ) async throws {
        // The version's row is held, so that it cannot be deleted meanwhile.
        let found = try await connection.query(
            """
            SELECT 1 FROM managed_policy_versions
            WHERE policy_id = \(policy.policyID) AND version = \(number) FOR KEY SHARE
            """)
        guard !found.isEmpty else { throw Self.missingVersion(number, of: policy) }
        let changed = try await connection.execute(
            """
            UPDATE managed_policies SET default_version = \(number), updated_at = \(raw: Self.now)
            WHERE policy_id = \(policy.policyID)
            """)
        guard changed == 1 else { throw Self.missing(policy) }
    }

    package func deleteVersion(
        _ number: Int, of policy: ManagedPolicyEntity, on connection: PostgresConnection
    ) async throws {
        try await lock(policy, on: connection)
        guard try await !version(number, of: policy, on: connection).isDefault else {
            throw AccountsError(.deleteConflict, "Cannot delete the default version of a policy.")
        }
        let changed = try await connection.execute(
            "DELETE FROM managed_policy_versions WHERE policy_id = \(policy.policyID) AND version = \(number)")
        guard changed == 1 else { throw Self.missingVersion(number, of: policy) }
    }

    private static let now = "date_trunc('milliseconds', clock_timestamp())"

    private static let selectVersion =
        """
        SELECT v.version, v.document, v.created_at, v.version = p.default_version AS is_default
        FROM managed_policy_versions v JOIN managed_policies p USING (policy_id)
        """

    private static func version(_ row: PostgresRow) throws -> PolicyVersionEntity {
        PolicyVersionEntity(
            number: Int(try row.get("version", as: Int32.self)), document: try row.get("document"),
            isDefault: try row.get("is_default"), createdAt: try row.get("created_at"))
    }

    private static func missingVersion(_ number: Int, of policy: ManagedPolicyEntity) -> AccountsError {
        AccountsError(.noSuchEntity, "Policy \(policy.arn) version v\(number) does not exist or is not attachable.")
    }
}
