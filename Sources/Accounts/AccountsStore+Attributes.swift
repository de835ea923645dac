package import Postgres

extension AccountsStore {
    /// Sets or, with nil, removes the permissions boundary of a user or role.
    package func setBoundary(
        _ policy: ManagedPolicyEntity?, of identity: Identity, on connection: PostgresConnection
    ) async throws {
        precondition(identity.kind != .group, "Groups have no boundary.")
        if policy == nil, identity.boundary == nil {
            throw AccountsError(
                .noSuchEntity, "The \(identity.kind) with name \(identity.name) has no permissions boundary.")
        }
        let changed = try await connection.execute(
            """
            UPDATE \(raw: identity.kind.table) SET boundary_id = \(policy?.policyID)
            WHERE \(raw: identity.kind.column) = \(identity.id)
            """)
        try Self.expect(changed, PolicyOwner(identity.kind, identity.name))
    }

    /// Changes the tags of a user or role, as they are when nobody else changes them.
    package func changeTags(
        of identity: Identity, on connection: PostgresConnection, _ change: (IdentityTags) throws -> IdentityTags
    ) async throws {
        precondition(identity.kind != .group, "Groups have no tags.")
        try await changeTags(identity.kind.table, identity.kind.column, identity.id, on: connection, change)
    }

    package func changeTags(
        of policy: ManagedPolicyEntity, on connection: PostgresConnection, _ change: (IdentityTags) throws -> IdentityTags
    ) async throws {
        try await changeTags("managed_policies", "policy_id", policy.policyID, on: connection, change)
    }

    private func changeTags(
        _ table: String, _ column: String, _ id: String, on connection: PostgresConnection,
        _ change: (IdentityTags) throws -> IdentityTags
    ) async throws {
        let rows = try await connection.query(
            "SELECT tags FROM \(raw: table) WHERE \(raw: column) = \(id) FOR UPDATE")
        guard let row = rows.first else { throw AccountsError(.noSuchEntity, "What was to be tagged is gone.") }
        let tags = try change(try IdentityTags(json: try row.get("tags")))
        let changed = try await connection.execute(
            "UPDATE \(raw: table) SET tags = \(tags.json) WHERE \(raw: column) = \(id)")
        guard changed == 1 else { throw AccountsError(.noSuchEntity, "What was to be tagged is gone.") }
    }
}
