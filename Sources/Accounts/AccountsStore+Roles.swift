package import AWSProtocol
import Policies
package import Postgres

extension AccountsStore {
    /// Seconds that a role may allow its sessions at most.
    package static let sessionSeconds = 3600...43_200

    package func createRole(
        _ name: String, path: String = "/", account: String, trustPolicy: String, description: String = "",
        maximumSessionSeconds: Int = 3600, by actor: AdminActor
    ) async throws -> RoleEntity {
        try NameRules.name(name)
        try NameRules.path(path)
        guard Self.sessionSeconds.contains(maximumSessionSeconds) else {
            throw AccountsError(.invalidInput, "A role allows its sessions 3600 to 43200 seconds.")
        }
        guard description.unicodeScalars.count <= 1000 else {
            throw AccountsError(.invalidInput, "A role's description has at most 1000 characters.")
        }
        try check(trustPolicy, kind: .trust)
        let id = Identifiers.roleID()
        let event = AccountEvent(
            name: "CreateRole", account: account,
            parameters: [
                "roleName": .string(name), "path": .string(path), "assumeRolePolicyDocument": .string(trustPolicy),
                "maxSessionDuration": .int(Int64(maximumSessionSeconds)),
            ],
            response: ["role": ["roleId": .string(id), "roleName": .string(name), "path": .string(path)]])
        return try await change(event, by: actor) { connection in
            try await connection.execute(
                """
                INSERT INTO roles (role_id, account, path, name, description, trust_policy, maximum_session_seconds)
                VALUES (\(id), \(account), \(path), \(name), \(description), \(trustPolicy), \(maximumSessionSeconds))
                """)
            return try await self.requiredRole(name, account: account, on: connection)
        }
    }

    package func putTrustPolicy(
        _ document: String, role name: String, account: String, by actor: AdminActor
    ) async throws {
        try check(document, kind: .trust)
        let event = AccountEvent(
            name: "UpdateAssumeRolePolicy", account: account,
            parameters: ["roleName": .string(name), "policyDocument": .string(document)])
        try await change(event, by: actor) { connection in
            let role = try await self.requiredRole(name, account: account, on: connection)
            _ = try await connection.execute("UPDATE roles SET trust_policy = \(document) WHERE role_id = \(role.roleID)")
        }
    }

    package func roles(account: String) async throws -> [RoleEntity] {
        try await pool.query(
            "\(raw: Self.selectRole) WHERE account = \(account) ORDER BY lower(name) LIMIT \(Self.maximumListed)"
        ).map(Self.role)
    }

    package func role(_ name: String, account: String) async throws -> RoleEntity? {
        try await pool.withConnection { try await self.role(name, account: account, on: $0) }
    }

    /// Deletes a role with its policies and its sessions, which end at once.
    package func deleteRole(_ name: String, account: String, by actor: AdminActor) async throws {
        let event = AccountEvent(name: "DeleteRole", account: account, parameters: ["roleName": .string(name)])
        try await change(event, by: actor) { connection in
            let role = try await self.requiredRole(name, account: account, on: connection)
            _ = try await connection.execute("DELETE FROM roles WHERE role_id = \(role.roleID)")
        }
    }

    /// The role with exactly this ARN, path and case included.
    package func role(_ arn: ARN, on connection: PostgresConnection) async throws -> RoleEntity? {
        guard arn.service == "iam", arn.resourceType == "role" else { return nil }
        guard let role = try await role(arn.baseName, account: arn.account, on: connection), role.arn == arn else { return nil }
        return role
    }

    func role(_ name: String, account: String, on connection: PostgresConnection) async throws -> RoleEntity? {
        try await connection.query(
            "\(raw: Self.selectRole) WHERE account = \(account) AND lower(name) = lower(\(name)::text)"
        ).first.map(Self.role)
    }

    func requiredRole(_ name: String, account: String, on connection: PostgresConnection) async throws -> RoleEntity {
        guard let role = try await role(name, account: account, on: connection) else {
            throw AccountsError(.noSuchEntity, "The role \(name) does not exist in account \(account).")
        }
        return role
    }

    private static let selectRole =
        "SELECT role_id, account, path, name, description, trust_policy, maximum_session_seconds, created_at FROM roles"

    private static func role(_ row: PostgresRow) throws -> RoleEntity {
        RoleEntity(
            roleID: try row.get("role_id"), account: try row.get("account"), path: try row.get("path"),
            name: try row.get("name"), description: try row.get("description"), trustPolicy: try row.get("trust_policy"),
            maximumSessionSeconds: Int(try row.get("maximum_session_seconds", as: Int32.self)),
            createdAt: try row.get("created_at"))
    }
}
