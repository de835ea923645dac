package import AWSProtocol
import Policies
package import Postgres

extension AccountsStore {
    /// Managed policies of one account, and versions of one policy, as IAM's quotas.
    package static let maximumManagedPolicies = 1500
    package static let maximumPolicyVersions = 5
    /// Characters of a managed policy without white space.
    package static let maximumManagedPolicyCharacters = 6144

    package func createPolicy(
        _ new: NewPolicy, account: String, on connection: PostgresConnection
    ) async throws -> ManagedPolicyEntity {
        try NameRules.policyName(new.name)
        try NameRules.path(new.path)
        try Self.check(description: new.description)
        try check(managed: new.document)
        try await checkQuota(Self.maximumManagedPolicies, of: "managed_policies", account: account, on: connection)
        let id = Identifiers.policyID()
        _ = try await connection.pipeline([
            """
            INSERT INTO managed_policies (policy_id, account, path, name, description, tags, default_version, latest_version)
            VALUES (\(id), \(account), \(new.path), \(new.name), \(new.description), \(new.tags.json), 1, 1)
            """,
            "INSERT INTO managed_policy_versions (policy_id, version, document) VALUES (\(id), 1, \(new.document))",
        ])
        return try await requiredPolicy(.policy(account: account, path: new.path, name: new.name), on: connection)
    }

    /// The policy with exactly this ARN, path and case included.
    package func policy(_ arn: ARN, on connection: PostgresConnection) async throws -> ManagedPolicyEntity? {
        guard arn.partition == "aws", arn.service == "iam", arn.region.isEmpty, arn.resourceType == "policy" else { return nil }
        let found = try await connection.query(
            "\(raw: Self.selectPolicy) WHERE p.account = \(arn.account) AND lower(p.name) = lower(\(arn.baseName)::text)"
        ).first.map(Self.policy)
        return found?.arn == arn ? found : nil
    }

    package func requiredPolicy(_ arn: ARN, on connection: PostgresConnection) async throws -> ManagedPolicyEntity {
        guard let policy = try await policy(arn, on: connection) else {
            throw AccountsError(.noSuchEntity, "Policy \(arn) does not exist or is not attachable.")
        }
        return policy
    }

    /// - Parameters:
    ///   - onlyAttached: leaves out those that nobody has.
    ///   - usedAsBoundary: nil for all, else those that are in use so.
    package func managedPolicies(
        account: String, _ page: ListPage, onlyAttached: Bool = false, usedAsBoundary: Bool? = nil,
        on connection: PostgresConnection
    ) async throws -> Listed<ManagedPolicyEntity> {
        let needsAttachment = onlyAttached && usedAsBoundary != true || usedAsBoundary == false
        let needsBoundary = usedAsBoundary == true
        let rows = try await connection.query(
            """
            SELECT * FROM (
                \(raw: Self.selectPolicy)
                WHERE p.account = \(account) AND starts_with(p.path, \(page.pathPrefix)::text)
            ) p
            WHERE lower(name) COLLATE "C" > \(page.after)::text
              AND (NOT \(needsAttachment) OR attachments > 0) AND (NOT \(needsBoundary) OR boundaries > 0)
            ORDER BY lower(name) COLLATE "C" LIMIT \(page.fetched)
            """)
        return page.cut(try rows.map(Self.policy)) { $0.name.lowercased() }
    }

    /// Deletes a policy that nobody has and that has no version but its default.
    package func deletePolicy(_ policy: ManagedPolicyEntity, on connection: PostgresConnection) async throws {
        try await lock(policy, on: connection)
        let now = try await requiredPolicy(policy.arn, on: connection)
        guard now.attachments == 0 else {
            throw AccountsError(.deleteConflict, "Cannot delete a policy attached to entities.")
        }
        guard now.boundaries == 0 else {
            throw AccountsError(.deleteConflict, "Cannot delete a policy in use as permissions boundary.")
        }
        guard try await versions(of: now, on: connection).count == 1 else {
            throw AccountsError(
                .deleteConflict,
                "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
                    + "The default version is deleted with the policy.")
        }
        let changed = try await connection.execute("DELETE FROM managed_policies WHERE policy_id = \(policy.policyID)")
        guard changed == 1 else { throw Self.missing(policy) }
    }

    /// Locks the row until the transaction ends. Attaching waits for it too, by its foreign key.
    func lock(_ policy: ManagedPolicyEntity, on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            "SELECT 1 FROM managed_policies WHERE policy_id = \(policy.policyID) FOR UPDATE")
        guard !rows.isEmpty else { throw Self.missing(policy) }
    }

    func check(managed document: String) throws {
        try check(document, kind: .identity)
        guard Self.countedCharacters(document) <= Self.maximumManagedPolicyCharacters else {
            throw AccountsError(
                .limitExceeded, "Cannot exceed quota for PolicySize: \(Self.maximumManagedPolicyCharacters)")
        }
    }

    static func missing(_ policy: ManagedPolicyEntity) -> AccountsError {
        AccountsError(.noSuchEntity, "Policy \(policy.arn) was not found.")
    }

    private static let selectPolicy =
        """
        SELECT p.policy_id, p.account, p.path, p.name, p.description, p.default_version, p.created_at, p.updated_at, p.tags,
               (SELECT count(*) FROM user_attachments a WHERE a.policy_id = p.policy_id)
               + (SELECT count(*) FROM group_attachments a WHERE a.policy_id = p.policy_id)
               + (SELECT count(*) FROM role_attachments a WHERE a.policy_id = p.policy_id) AS attachments,
               (SELECT count(*) FROM users u WHERE u.boundary_id = p.policy_id)
               + (SELECT count(*) FROM roles r WHERE r.boundary_id = p.policy_id) AS boundaries
        FROM managed_policies p
        """

    private static func policy(_ row: PostgresRow) throws -> ManagedPolicyEntity {
        ManagedPolicyEntity(
            policyID: try row.get("policy_id"), account: try row.get("account"), path: try row.get("path"),
            name: try row.get("name"), description: try row.get("description"),
            defaultVersion: Int(try row.get("default_version", as: Int32.self)), attachments: try row.get("attachments"),
            boundaries: try row.get("boundaries"), createdAt: try row.get("created_at"), updatedAt: try row.get("updated_at"),
            tags: try IdentityTags(json: try row.get("tags")))
    }
}
