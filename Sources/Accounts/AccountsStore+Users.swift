import AWSProtocol
package import Postgres

extension AccountsStore {
    package func createUser(
        _ name: String, path: String = "/", account: String, by actor: AdminActor
    ) async throws -> UserEntity {
        try NameRules.name(name)
        try NameRules.path(path)
        let id = Identifiers.userID()
        let event = AccountEvent(
            name: "CreateUser", account: account, parameters: ["userName": .string(name), "path": .string(path)],
            response: ["user": ["userId": .string(id), "userName": .string(name), "path": .string(path)]])
        return try await change(event, by: actor) { connection in
            try await connection.execute(
                "INSERT INTO users (user_id, account, path, name) VALUES (\(id), \(account), \(path), \(name))")
            return try await self.requiredUser(name, account: account, on: connection)
        }
    }

    package func users(account: String) async throws -> [UserEntity] {
        try await pool.query(
            """
            SELECT user_id, account, path, name, created_at FROM users WHERE account = \(account)
            ORDER BY lower(name) LIMIT \(Self.maximumListed)
            """
        ).map(Self.user)
    }

    package func user(_ name: String, account: String) async throws -> UserEntity? {
        try await pool.withConnection { try await self.user(name, account: account, on: $0) }
    }

    /// Deletes a user with its policies; its access keys must be gone.
    package func deleteUser(_ name: String, account: String, by actor: AdminActor) async throws {
        let event = AccountEvent(name: "DeleteUser", account: account, parameters: ["userName": .string(name)])
        try await change(event, by: actor) { connection in
            let user = try await self.requiredUser(name, account: account, on: connection)
            guard try await connection.query("SELECT 1 FROM access_keys WHERE user_id = \(user.userID)").isEmpty else {
                throw AccountsError(.deleteConflict, "The user still has access keys: delete them first.")
            }
            _ = try await connection.execute("DELETE FROM users WHERE user_id = \(user.userID)")
        }
    }

    func requiredUser(_ name: String, account: String, on connection: PostgresConnection) async throws -> UserEntity {
        guard let user = try await user(name, account: account, on: connection) else {
            throw AccountsError(.noSuchEntity, "The user \(name) does not exist in account \(account).")
        }
        return user
    }

    package func user(
        _ name: String, account: String, on connection: PostgresConnection
    ) async throws -> UserEntity? {
        try await connection.query(
            """
            SELECT user_id, account, path, name, created_at FROM users
            WHERE account = \(account) AND lower(name) = lower(\(name)::text)
            """
        ).first.map(Self.user)
    }

    private static func user(_ row: PostgresRow) throws -> UserEntity {
        UserEntity(
            userID: try row.get("user_id"), account: try row.get("account"), path: try row.get("path"),
            name: try row.get("name"), createdAt: try row.get("created_at"))
    }
}
