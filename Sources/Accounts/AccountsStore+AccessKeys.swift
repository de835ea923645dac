import AWSProtocol
import Postgres
import Secrets

extension AccountsStore {
    /// Makes an access key of a user. The secret is in the answer and can never be read again.
    package func createAccessKey(
        user name: String, account: String, by actor: AdminActor
    ) async throws -> NewAccessKey {
        let id = Identifiers.accessKeyID()
        let secret = Identifiers.secret()
        let sealed = try await seal(secret, label: Self.accessKeyLabel(id))
        let event = AccountEvent(
            name: "CreateAccessKey", account: account, parameters: ["userName": .string(name)],
            response: ["accessKey": ["userName": .string(name), "accessKeyId": .string(id), "status": "Active"]])
        try await change(event, by: actor) { connection in
            let user = try await self.requiredUser(name, account: account, on: connection)
            // The user's row orders those who count at the same time.
            let count = try await connection.pipeline([
                "SELECT 1 FROM users WHERE user_id = \(user.userID) FOR UPDATE",
                "SELECT 1 FROM access_keys WHERE user_id = \(user.userID)",
            ])[1].count
            guard count < Self.maximumAccessKeysPerUser else {
                throw AccountsError(
                    .limitExceeded, "The user has \(Self.maximumAccessKeysPerUser) access keys, which is the most it may have.")
            }
            try await connection.execute(
                """
                INSERT INTO access_keys (access_key_id, account, user_id, sealed_secret)
                VALUES (\(id), \(account), \(user.userID), \(sealed))
                """)
        }
        return NewAccessKey(accessKeyID: id, secretAccessKey: Redacted(secret))
    }

    package func accessKeys(account: String, user: String? = nil) async throws -> [AccessKeyEntity] {
        try await pool.query(
            """
            SELECT k.access_key_id, k.account, u.name AS user_name, k.status, k.created_at
            FROM access_keys k LEFT JOIN users u USING (user_id)
            WHERE k.account = \(account) AND (\(user)::text IS NULL OR lower(u.name) = lower(\(user)::text))
            ORDER BY k.created_at, k.access_key_id LIMIT \(Self.maximumListed)
            """
        ).map { row in
            AccessKeyEntity(
                accessKeyID: try row.get("access_key_id"), account: try row.get("account"), userName: try row.get("user_name"),
                status: try row.get("status"), createdAt: try row.get("created_at"))
        }
    }

    /// Activates or deactivates a key; requests signed with an inactive one are refused from then on.
    package func setAccessKey(
        _ id: String, status: AccessKeyEntity.Status, account: String, by actor: AdminActor
    ) async throws {
        let event = AccountEvent(
            name: "UpdateAccessKey", account: account,
            parameters: ["accessKeyId": .string(id), "status": .string(status.rawValue)])
        try await change(event, by: actor) { connection in
            let changed = try await connection.execute(
                "UPDATE access_keys SET status = \(status) WHERE access_key_id = \(id) AND account = \(account)")
            guard changed == 1 else { throw Self.noAccessKey }
        }
    }

    package func deleteAccessKey(_ id: String, account: String, by actor: AdminActor) async throws {
        let event = AccountEvent(name: "DeleteAccessKey", account: account, parameters: ["accessKeyId": .string(id)])
        try await change(event, by: actor) { connection in
            let changed = try await connection.execute(
                "DELETE FROM access_keys WHERE access_key_id = \(id) AND account = \(account)")
            guard changed == 1 else { throw Self.noAccessKey }
        }
    }

    func seal(_ secret: String, label: String) async throws -> [UInt8] {
        var bytes = Array(secret.utf8)
        let shared = SharedSecret(SecretBytes(consuming: &bytes))
        defer { shared.wipe() }
        return try await sealer.seal(shared, label: label)
    }

    static func accessKeyLabel(_ id: String) -> String { accessKeySecrets.label(id) }
    static func sessionLabel(_ id: String) -> String { sessionSecrets.label(id) }

    private static let noAccessKey = AccountsError(.noSuchEntity, "The account has no access key of that id.")
}
