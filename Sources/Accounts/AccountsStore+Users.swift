import AWSProtocol
package import Postgres

/// A user that is to be made.
package struct NewUser: Sendable {
    package var name: String
    package var path: String
    package var tags: IdentityTags
    package var boundary: ManagedPolicyEntity?

    package init(name: String, path: String = "/", tags: IdentityTags = .none, boundary: ManagedPolicyEntity? = nil) {
        self.name = name
        self.path = path
        self.tags = tags
        self.boundary = boundary
    }
}

extension AccountsStore {
    /// Users of one account, as IAM's quota.
    package static let maximumUsers = 5000

    package func createUser(
        _ name: String, path: String = "/", account: String, by actor: AdminActor
    ) async throws -> UserEntity {
        var event = AccountEvent(
            name: "CreateUser", account: account, parameters: ["userName": .string(name), "path": .string(path)])
        return try await change(by: actor) { connection in
            let user = try await self.createUser(NewUser(name: name, path: path), account: account, on: connection)
            event.response = [
                "user": ["userId": .string(user.userID), "userName": .string(name), "path": .string(path)]
            ]
            return (user, event)
        }
    }

    package func createUser(
        _ new: NewUser, account: String, on connection: PostgresConnection
    ) async throws -> UserEntity {
        try NameRules.name(new.name, of: .user)
        try NameRules.path(new.path)
        try await checkQuota(Self.maximumUsers, of: "users", account: account, on: connection)
        try await connection.execute(
            """
            INSERT INTO users (user_id, account, path, name, tags, boundary_id)
            VALUES (
                \(Identifiers.userID()), \(account), \(new.path), \(new.name), \(new.tags.json), \(new.boundary?.policyID))
            """)
        return try await requiredUser(new.name, account: account, on: connection)
    }

    package func users(account: String) async throws -> [UserEntity] {
        try await pool.query(
            "\(raw: Self.selectUser) WHERE u.account = \(account) ORDER BY lower(u.name) LIMIT \(Self.maximumListed)"
        ).map(Self.user)
    }

    package func users(
        account: String, _ page: ListPage, on connection: PostgresConnection
    ) async throws -> Listed<UserEntity> {
        let rows = try await connection.query(
            """
            \(raw: Self.selectUser)
            WHERE u.account = \(account) AND starts_with(u.path, \(page.pathPrefix)::text)
              AND lower(u.name) COLLATE "C" > \(page.after)::text
            ORDER BY lower(u.name) COLLATE "C" LIMIT \(page.fetched)
            """)
        return page.cut(try rows.map(Self.user)) { $0.name.lowercased() }
    }

    package func user(_ name: String, account: String) async throws -> UserEntity? {
        try await pool.withConnection { try await self.user(name, account: account, on: $0) }
    }

    /// Deletes a user with its policies and its place in groups; its access keys and MFA devices must be gone.
    package func deleteUser(_ name: String, account: String, by actor: AdminActor) async throws {
        let event = AccountEvent(name: "DeleteUser", account: account, parameters: ["userName": .string(name)])
        try await change(event, by: actor) { connection in
            let user = try await self.requiredIdentity(.user(name), account: account, on: connection)
            try await self.deleteUser(user, withPolicies: true, on: connection)
        }
    }

    /// - Parameter withPolicies: whether policies, attachments and memberships go with the user, or stand in the way as in IAM.
    package func deleteUser(
        _ user: Identity, withPolicies: Bool, on connection: PostgresConnection
    ) async throws {
        try await lock(user, on: connection)
        var obstacles: [(String, PostgresQuery)] = [
            ("access keys", "SELECT 1 FROM access_keys WHERE user_id = \(user.id) LIMIT 1"),
            ("MFA devices", "SELECT 1 FROM mfa_devices WHERE user_id = \(user.id) LIMIT 1"),
        ]
        if !withPolicies {
            obstacles += Self.policyObstacles(of: user)
            obstacles.append(("memberships of groups", "SELECT 1 FROM group_members WHERE user_id = \(user.id) LIMIT 1"))
        }
        try await refuse(deletionOf: user, over: obstacles, on: connection)
        let changed = try await connection.execute("DELETE FROM users WHERE user_id = \(user.id)")
        try Self.expect(changed, .user(user.name))
    }

    static func policyObstacles(of identity: Identity) -> [(String, PostgresQuery)] {
        let kind = identity.kind
        return [
            ("policies", "SELECT 1 FROM \(raw: kind.policyTable) WHERE \(raw: kind.column) = \(identity.id) LIMIT 1"),
            (
                "attached policies",
                "SELECT 1 FROM \(raw: kind.attachmentTable) WHERE \(raw: kind.column) = \(identity.id) LIMIT 1"
            ),
        ]
    }

    func refuse(
        deletionOf identity: Identity, over obstacles: [(what: String, query: PostgresQuery)], on connection: PostgresConnection
    ) async throws {
        let answers = try await connection.pipeline(obstacles.map(\.query))
        for (obstacle, rows) in zip(obstacles, answers) where !rows.isEmpty {
            throw AccountsError(.deleteConflict, "The \(identity.kind) still has \(obstacle.what): remove them first.")
        }
    }

    func requiredUser(_ name: String, account: String, on connection: PostgresConnection) async throws -> UserEntity {
        guard let user = try await user(name, account: account, on: connection) else { throw Self.missing(.user(name)) }
        return user
    }

    package func user(
        _ name: String, account: String, on connection: PostgresConnection
    ) async throws -> UserEntity? {
        try await connection.query(
            "\(raw: Self.selectUser) WHERE u.account = \(account) AND lower(u.name) = lower(\(name)::text)"
        ).first.map(Self.user)
    }

    static let selectUser =
        """
        SELECT u.user_id, u.account, u.path, u.name, u.created_at, u.tags, \(boundaryARN)
        FROM users u LEFT JOIN managed_policies b ON b.policy_id = u.boundary_id
        """

    static func user(_ row: PostgresRow) throws -> UserEntity {
        UserEntity(
            userID: try row.get("user_id"), account: try row.get("account"), path: try row.get("path"),
            name: try row.get("name"), createdAt: try row.get("created_at"),
            tags: try IdentityTags(json: try row.get("tags")),
            boundary: try row.get("boundary", as: String?.self).flatMap { ARN($0) })
    }
}
