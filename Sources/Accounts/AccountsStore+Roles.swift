package import AWSProtocol
import Policies
package import Postgres

/// A role that is to be made.
package struct NewRole: Sendable {
    package var name: String
    package var path: String
    /// JSON.
    package var trustPolicy: String
    package var description: String
    package var maximumSessionSeconds: Int
    package var tags: IdentityTags
    package var boundary: ManagedPolicyEntity?

    package init(
        name: String, path: String = "/", trustPolicy: String, description: String = "", maximumSessionSeconds: Int = 3600,
        tags: IdentityTags = .none, boundary: ManagedPolicyEntity? = nil
    ) {
        self.name = name
        self.path = path
        self.trustPolicy = trustPolicy
        self.description = description
        self.maximumSessionSeconds = maximumSessionSeconds
        self.tags = tags
        self.boundary = boundary
    }
}

extension AccountsStore {
    /// Seconds that a role may allow its sessions at most.
    package static let sessionSeconds = 3600...43_200
    /// Roles of one account, as IAM's quota.
    package static let maximumRoles = 1000
    package static let maximumDescriptionCharacters = 1000

    package func createRole(
        _ name: String, path: String = "/", account: String, trustPolicy: String, description: String = "",
        maximumSessionSeconds: Int = 3600, by actor: AdminActor
    ) async throws -> RoleEntity {
        let new = NewRole(
            name: name, path: path, trustPolicy: trustPolicy, description: description,
            maximumSessionSeconds: maximumSessionSeconds)
        return try await change(by: actor) { connection in
            let role = try await self.createRole(new, account: account, on: connection)
            let event = AccountEvent(
                name: "CreateRole", account: account,
                parameters: [
                    "roleName": .string(name), "path": .string(path), "assumeRolePolicyDocument": .string(trustPolicy),
                    "maxSessionDuration": .int(Int64(maximumSessionSeconds)),
                ],
                response: ["role": ["roleId": .string(role.roleID), "roleName": .string(name), "path": .string(path)]])
            return (role, event)
        }
    }

    package func createRole(
        _ new: NewRole, account: String, on connection: PostgresConnection
    ) async throws -> RoleEntity {
        try NameRules.name(new.name, of: .role)
        try NameRules.path(new.path)
        try Self.check(sessionSeconds: new.maximumSessionSeconds)
        try Self.check(description: new.description)
        try check(new.trustPolicy, kind: .trust)
        try await checkQuota(Self.maximumRoles, of: "roles", account: account, on: connection)
        try await connection.execute(
            """
            INSERT INTO roles (
                role_id, account, path, name, description, trust_policy, maximum_session_seconds, tags, boundary_id)
            VALUES (
                \(Identifiers.roleID()), \(account), \(new.path), \(new.name), \(new.description), \(new.trustPolicy),
                \(new.maximumSessionSeconds), \(new.tags.json), \(new.boundary?.policyID))
            """)
        return try await requiredRole(new.name, account: account, on: connection)
    }

    package func putTrustPolicy(
        _ document: String, role name: String, account: String, by actor: AdminActor
    ) async throws {
        let event = AccountEvent(
            name: "UpdateAssumeRolePolicy", account: account,
            parameters: ["roleName": .string(name), "policyDocument": .string(document)])
        try await change(event, by: actor) { connection in
            let role = try await self.requiredIdentity(.role(name), account: account, on: connection)
            try await self.putTrustPolicy(document, of: role, on: connection)
        }
    }

    package func putTrustPolicy(_ document: String, of role: Identity, on connection: PostgresConnection) async throws {
        try check(document, kind: .trust)
        let changed = try await connection.execute("UPDATE roles SET trust_policy = \(document) WHERE role_id = \(role.id)")
        try Self.expect(changed, .role(role.name))
    }

    /// Nil leaves a value as it is.
    package func updateRole(
        _ role: Identity, description: String?, maximumSessionSeconds: Int?, on connection: PostgresConnection
    ) async throws {
        if let description { try Self.check(description: description) }
        if let maximumSessionSeconds { try Self.check(sessionSeconds: maximumSessionSeconds) }
        let changed = try await connection.execute(
            """
            UPDATE roles
            SET description = coalesce(\(description)::text, description),
                maximum_session_seconds = coalesce(\(maximumSessionSeconds)::int, maximum_session_seconds)
            WHERE role_id = \(role.id)
            """)
        try Self.expect(changed, .role(role.name))
    }

    package func roles(account: String) async throws -> [RoleEntity] {
        try await pool.query(
            "\(raw: Self.selectRole) WHERE r.account = \(account) ORDER BY lower(r.name) LIMIT \(Self.maximumListed)"
        ).map(Self.role)
    }

    package func roles(
        account: String, _ page: ListPage, on connection: PostgresConnection
    ) async throws -> Listed<RoleEntity> {
        let rows = try await connection.query(
            """
            \(raw: Self.selectRole)
            WHERE r.account = \(account) AND starts_with(r.path, \(page.pathPrefix)::text)
              AND lower(r.name) COLLATE "C" > \(page.after)::text
            ORDER BY lower(r.name) COLLATE "C" LIMIT \(page.fetched)
            """)
        return page.cut(try rows.map(Self.role)) { $0.name.lowercased() }
    }

    package func role(_ name: String, account: String) async throws -> RoleEntity? {
        try await pool.withConnection { try await self.role(name, account: account, on: $0) }
    }

    /// Deletes a role with its policies and its sessions, which end at once.
    package func deleteRole(_ name: String, account: String, by actor: AdminActor) async throws {
        let event = AccountEvent(name: "DeleteRole", account: account, parameters: ["roleName": .string(name)])
        try await change(event, by: actor) { connection in
            let role = try await self.requiredIdentity(.role(name), account: account, on: connection)
            try await self.deleteRole(role, withPolicies: true, on: connection)
        }
    }

    /// - Parameter withPolicies: whether policies and attachments go with the role, or stand in the way as in IAM.
    package func deleteRole(
        _ role: Identity, withPolicies: Bool, on connection: PostgresConnection
    ) async throws {
        try await lock(role, on: connection)
        if !withPolicies { try await refuse(deletionOf: role, over: Self.policyObstacles(of: role), on: connection) }
        let changed = try await connection.execute("DELETE FROM roles WHERE role_id = \(role.id)")
        try Self.expect(changed, .role(role.name))
    }

    /// The role with exactly this ARN, path and case included.
    package func role(_ arn: ARN, on connection: PostgresConnection) async throws -> RoleEntity? {
        guard arn.service == "iam", arn.resourceType == "role" else { return nil }
        guard let role = try await role(arn.baseName, account: arn.account, on: connection), role.arn == arn else { return nil }
        return role
    }

    package func role(_ name: String, account: String, on connection: PostgresConnection) async throws -> RoleEntity? {
        try await connection.query(
            "\(raw: Self.selectRole) WHERE r.account = \(account) AND lower(r.name) = lower(\(name)::text)"
        ).first.map(Self.role)
    }

    package func requiredRole(
        _ name: String, account: String, on connection: PostgresConnection
    ) async throws -> RoleEntity {
        guard let role = try await role(name, account: account, on: connection) else { throw Self.missing(.role(name)) }
        return role
    }

    private static func check(sessionSeconds: Int) throws {
        guard Self.sessionSeconds.contains(sessionSeconds) else {
            throw AccountsError(.invalidInput, "A role allows its sessions 3600 to 43200 seconds.")
        }
    }

    static func check(description: String) throws {
        guard description.unicodeScalars.count <= maximumDescriptionCharacters else {
            throw AccountsError(.invalidInput, "A description has at most \(maximumDescriptionCharacters) characters.")
        }
    }

    private static let selectRole =
        """
        SELECT r.role_id, r.account, r.path, r.name, r.description, r.trust_policy, r.maximum_session_seconds, r.created_at,
               r.tags, \(boundaryARN)
        FROM roles r LEFT JOIN managed_policies b ON b.policy_id = r.boundary_id
        """

    private static func role(_ row: PostgresRow) throws -> RoleEntity {
        RoleEntity(
            roleID: try row.get("role_id"), account: try row.get("account"), path: try row.get("path"),
            name: try row.get("name"), description: try row.get("description"), trustPolicy: try row.get("trust_policy"),
            maximumSessionSeconds: Int(try row.get("maximum_session_seconds", as: Int32.self)),
            createdAt: try row.get("created_at"), tags: try IdentityTags(json: try row.get("tags")),
            boundary: try row.get("boundary", as: String?.self).flatMap { ARN($0) })
    }
}
