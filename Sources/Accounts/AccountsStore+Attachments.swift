package import Postgres

/// Somebody who has a managed policy.
package struct PolicyHolder: Sendable, Hashable {
    package let kind: Identity.Kind
    package let id: String
    package let name: String
}

extension AccountsStore {
    /// Managed policies of one user, group or role, as IAM's quota.
    package static let maximumAttachments = 10

    /// Attaches a policy; one that is attached already stays so.
    package func attach(
        _ policy: ManagedPolicyEntity, to identity: Identity, on connection: PostgresConnection
    ) async throws {
        let kind = identity.kind
        try await lock(identity, on: connection)
        let others = try await connection.query(
            """
            SELECT 1 FROM \(raw: kind.attachmentTable)
            WHERE \(raw: kind.column) = \(identity.id) AND policy_id <> \(policy.policyID)
            """
        ).count
        guard others < Self.maximumAttachments else {
            throw AccountsError(
                .limitExceeded, "Cannot exceed quota for PoliciesPer\(kind.title): \(Self.maximumAttachments)")
        }
        _ = try await connection.execute(
            """
            INSERT INTO \(raw: kind.attachmentTable) (\(raw: kind.column), policy_id)
            VALUES (\(identity.id), \(policy.policyID)) ON CONFLICT DO NOTHING
            """)
    }

    package func detach(
        _ policy: ManagedPolicyEntity, from identity: Identity, on connection: PostgresConnection
    ) async throws {
        let changed = try await connection.execute(
            """
            DELETE FROM \(raw: identity.kind.attachmentTable)
            WHERE \(raw: identity.kind.column) = \(identity.id) AND policy_id = \(policy.policyID)
            """)
        guard changed == 1 else { throw AccountsError(.noSuchEntity, "Policy \(policy.arn) was not found.") }
    }

    /// Name and ARN of the policies that are attached.
    package func attachedPolicies(
        of identity: Identity, _ page: ListPage, on connection: PostgresConnection
    ) async throws -> Listed<(name: String, arn: String)> {
        let rows = try await connection.query(
            """
            SELECT b.name, \(raw: Self.boundaryARN)
            FROM \(raw: identity.kind.attachmentTable) a JOIN managed_policies b USING (policy_id)
            WHERE a.\(raw: identity.kind.column) = \(identity.id) AND starts_with(b.path, \(page.pathPrefix)::text)
              AND lower(b.name) COLLATE "C" > \(page.after)::text
            ORDER BY lower(b.name) COLLATE "C" LIMIT \(page.fetched)
            """)
        return page.cut(try rows.map { (name: try $0.get("name"), arn: try $0.get("boundary")) }) { $0.name.lowercased() }
    }

    /// Who has a policy, as boundary (true), attached (false) or either (nil), in the order of kind and name. The page's `after` is
    /// that of `Listed.next`.
    package func holders(
        of policy: ManagedPolicyEntity, kinds: [Identity.Kind], asBoundary: Bool?, _ page: ListPage,
        on connection: PostgresConnection
    ) async throws -> Listed<PolicyHolder> {
        var rows: [PostgresRow] = []
        if asBoundary != true { rows += try await connection.query(Self.attached(policy)) }
        if asBoundary != false { rows += try await connection.query(Self.bounded(by: policy)) }
        let holders = try rows.map { row in
            PolicyHolder(
                kind: Identity.Kind(rawValue: try row.get("kind")) ?? .user, id: try row.get("id"), name: try row.get("name"))
        }
        let paths = try rows.map { try $0.get("path", as: String.self) }
        let key = { (holder: PolicyHolder) in "\(holder.kind)/\(holder.name.lowercased())" }
        let wanted = zip(holders, paths).filter { holder, path in
            kinds.contains(holder.kind) && path.hasPrefix(page.pathPrefix) && key(holder) > page.after
        }.map(\.0)
        let once = Dictionary(wanted.map { (key($0), $0) }, uniquingKeysWith: { first, _ in first }).values
        return page.cut(once.sorted { key($0) < key($1) }, by: key)
    }

    private static func attached(_ policy: ManagedPolicyEntity) -> PostgresQuery {
        """
        SELECT 'group' AS kind, group_id AS id, name, path
        FROM group_attachments JOIN user_groups USING (group_id) WHERE policy_id = \(policy.policyID)
        UNION ALL
        SELECT 'role', role_id, name, path FROM role_attachments JOIN roles USING (role_id) WHERE policy_id = \(policy.policyID)
        UNION ALL
        SELECT 'user', user_id, name, path FROM user_attachments JOIN users USING (user_id) WHERE policy_id = \(policy.policyID)
        """
    }

    private static func bounded(by policy: ManagedPolicyEntity) -> PostgresQuery {
        """
        SELECT 'role' AS kind, role_id AS id, name, path FROM roles WHERE boundary_id = \(policy.policyID)
        UNION ALL
        SELECT 'user', user_id, name, path FROM users WHERE boundary_id = \(policy.policyID)
        """
    }
}
