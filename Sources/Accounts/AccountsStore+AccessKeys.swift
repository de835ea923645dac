import AWSProtocol
package import Postgres
import Secrets

extension AccountsStore {
    /// Makes an access key of a user. The secret is in the answer and can never be read again.
    package func createAccessKey(
        user name: String, account: String, by actor: AdminActor
    ) async throws -> NewAccessKey {
        let prepared = try await prepareAccessKey()
        let id = prepared.accessKeyID
        let event = AccountEvent(
            name: "CreateAccessKey", account: account, parameters: ["userName": .string(name)],
            response: ["accessKey": ["userName": .string(name), "accessKeyId": .string(id), "status": "Active"]])
        return try await change(event, by: actor) { connection in
            let user = try await self.requiredIdentity(.user(name), account: account, on: connection)
            return try await self.insert(prepared, of: user, account: account, on: connection)
        }
    }

    /// A new secret, sealed before the transaction, which stays short.
    package func prepareAccessKey() async throws -> PreparedAccessKey {
        let id = Identifiers.accessKeyID()
        let secret = Identifiers.secret()
        return PreparedAccessKey(
            accessKeyID: id, secret: Redacted(secret), sealed: try await seal(secret, label: Self.accessKeyLabel(id)))
    }

    package func insert(
        _ prepared: PreparedAccessKey, of user: Identity, account: String, on connection: PostgresConnection
    ) async throws -> NewAccessKey {
        // The user's row orders those who count at the same time.
        try await lock(user, on: connection)
        let count = try await connection.query("SELECT 1 FROM access_keys WHERE user_id = \(user.id)").count
        guard count < Self.maximumAccessKeysPerUser else {
            throw AccountsError(
                .limitExceeded, "The user has \(Self.maximumAccessKeysPerUser) access keys, which is the most it may have.")
        }
        let rows = try await connection.query(
            """
            INSERT INTO access_keys (access_key_id, account, user_id, sealed_secret)
            VALUES (\(prepared.accessKeyID), \(account), \(user.id), \(prepared.sealed))
            RETURNING created_at
            """)
        guard let row = rows.first else { throw Self.noAccessKey }
        return NewAccessKey(
            accessKeyID: prepared.accessKeyID, secretAccessKey: prepared.secret, createdAt: try row.get("created_at"))
    }

    package func accessKeys(account: String, user: String? = nil) async throws -> [AccessKeyEntity] {
        try await pool.query(
            """
            \(raw: Self.selectAccessKey)
            WHERE k.account = \(account) AND (\(user)::text IS NULL OR lower(u.name) = lower(\(user)::text))
            ORDER BY k.created_at, k.access_key_id LIMIT \(Self.maximumListed)
            """
        ).map(Self.accessKey)
    }

    package func accessKeys(
        of user: Identity, _ page: ListPage, on connection: PostgresConnection
    ) async throws -> Listed<AccessKeyEntity> {
        let rows = try await connection.query(
            """
            \(raw: Self.selectAccessKey)
            WHERE k.user_id = \(user.id) AND k.access_key_id COLLATE "C" > \(page.after)::text
            ORDER BY k.access_key_id COLLATE "C" LIMIT \(page.fetched)
            """)
        return page.cut(try rows.map(Self.accessKey), by: \.accessKeyID)
    }

    /// A key of whatever account.
    package func accessKey(_ id: String, on connection: PostgresConnection) async throws -> AccessKeyEntity? {
        try await connection.query("\(raw: Self.selectAccessKey) WHERE k.access_key_id = \(id)").first.map(Self.accessKey)
    }

    /// The account that a key or session belongs to.
    package func account(ofAccessKey id: String, on connection: PostgresConnection) async throws -> String? {
        try await connection.query(
            """
            SELECT account FROM access_keys WHERE access_key_id = \(id)
            UNION ALL
            SELECT coalesce(r.account, u.account)
            FROM sessions s LEFT JOIN roles r ON r.role_id = s.role_id LEFT JOIN users u ON u.user_id = s.user_id
            WHERE s.access_key_id = \(id)
            """
        ).first?.get("account")
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

    package func setAccessKey(
        _ id: String, status: AccessKeyEntity.Status, of user: Identity, on connection: PostgresConnection
    ) async throws {
        let changed = try await connection.execute(
            "UPDATE access_keys SET status = \(status) WHERE access_key_id = \(id) AND user_id = \(user.id)")
        guard changed == 1 else { throw Self.noAccessKey }
    }

    package func deleteAccessKey(_ id: String, account: String, by actor: AdminActor) async throws {
        let event = AccountEvent(name: "DeleteAccessKey", account: account, parameters: ["accessKeyId": .string(id)])
        try await change(event, by: actor) { connection in
            let changed = try await connection.execute(
                "DELETE FROM access_keys WHERE access_key_id = \(id) AND account = \(account)")
            guard changed == 1 else { throw Self.noAccessKey }
        }
    }

    package func deleteAccessKey(_ id: String, of user: Identity, on connection: PostgresConnection) async throws {
        let changed = try await connection.execute(
            "DELETE FROM access_keys WHERE access_key_id = \(id) AND user_id = \(user.id)")
        guard changed == 1 else { throw Self.noAccessKey }
    }

    private static let selectAccessKey =
        """
        SELECT k.access_key_id, k.account, u.name AS user_name, k.status, k.created_at
        FROM access_keys k LEFT JOIN users u USING (user_id)
        """

    private static func accessKey(_ row: PostgresRow) throws -> AccessKeyEntity {
        AccessKeyEntity(
            accessKeyID: try row.get("access_key_id"), account: try row.get("account"), userName: try row.get("user_name"),
            status: try row.get("status"), createdAt: try row.get("created_at"))
    }

    func seal(_ secret: String, label: String) async throws -> [UInt8] {
        var bytes = Array(secret.utf8)
        let shared = SharedSecret(SecretBytes(consuming: &bytes))
        defer { shared.wipe() }
        return try await sealer.seal(shared, label: label)
    }

    static func accessKeyLabel(_ id: String) -> String { accessKeySecrets.label(id) }
    static func sessionLabel(_ id: String) -> String { sessionSecrets.label(id) }

    private static let noAccessKey = AccountsError(.noSuchEntity, "The Access Key cannot be found.")
}
