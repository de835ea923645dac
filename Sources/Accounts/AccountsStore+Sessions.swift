import AWSProtocol
import Crypto
package import Postgres
package import Secrets

package import struct FoundationEssentials.Date

/// A session of a role that is to be made.
package struct SessionRequest: Sendable {
    package var role: RoleEntity
    package var name: String
    package var seconds: Int
    /// JSON; checked by whoever read it.
    package var policy: String?
    /// Managed policies that narrow the session.
    package var managedPolicies: [ManagedPolicyEntity] = []
    package var sourceIdentity: String?
    package var record: SessionRecord?
    /// Those that came through a chain included.
    package var tags: IdentityTags = .none
    package var transitiveTagKeys: [String] = []
    /// When the caller showed a second factor.
    package var mfaAt: Date?

    package init(
        role: RoleEntity, name: String, seconds: Int, policy: String? = nil, sourceIdentity: String? = nil,
        record: SessionRecord? = nil
    ) {
        self.role = role
        self.name = name
        self.seconds = seconds
        self.policy = policy
        self.sourceIdentity = sourceIdentity
        self.record = record
    }
}

/// A session of a user that is to be made; it ends with the access key that it is made with.
package struct UserSessionRequest: Sendable {
    package var userID: String
    package var accessKeyID: String
    package var seconds: Int
    package var mfaAt: Date?

    package init(userID: String, accessKeyID: String, seconds: Int, mfaAt: Date?) {
        self.userID = userID
        self.accessKeyID = accessKeyID
        self.seconds = seconds
        self.mfaAt = mfaAt
    }
}

/// Credentials of a session, the only time they are shown.
package struct SessionCredentials: Sendable {
    package let accessKeyID: String
    package let secretAccessKey: Redacted<String>
    package let sessionToken: Redacted<String>
    package let expiresAt: Date
}

/// New credentials whose row is not written yet: sealing is done before the transaction, which stays short.
package struct PreparedSession: Sendable {
    let accessKeyID: String
    let secret: Redacted<String>
    let token: Redacted<String>
    let sealed: [UInt8]

    var digest: [UInt8] { AccountsStore.digest(of: token.revealed) }
}

extension AccountsStore {
    /// Expired sessions stay for a while, so that their holders hear ExpiredToken rather than that nobody knows them.
    package static let expiredSessionSeconds = 900
    /// Expired rows that making a session removes.
    package static let expiredSessionsRemoved = 100

    package func prepareSession() async throws -> PreparedSession {
        let id = Identifiers.sessionKeyID()
        let secret = Identifiers.secret()
        return PreparedSession(
            accessKeyID: id, secret: Redacted(secret), token: Redacted(Identifiers.sessionToken()),
            sealed: try await seal(secret, label: Self.sessionLabel(id)))
    }

    /// Writes the session's row. The database's clock decides when it ends.
    package func insert(
        _ prepared: PreparedSession, for request: SessionRequest, on connection: PostgresConnection
    ) async throws -> SessionCredentials {
        let record = request.record
        let policies = request.managedPolicies.map(\.policyID)
        return try await insert(
            prepared,
            """
            INSERT INTO sessions (
                access_key_id, role_id, name, sealed_secret, token_digest, created_at, expires_at, session_policy,
                session_policy_ids, source_identity, source_arn, source_account, via_service, caller_account, source_ip,
                user_agent, tags, transitive_tag_keys, mfa_at)
            VALUES (
                \(prepared.accessKeyID), \(request.role.roleID), \(request.name), \(prepared.sealed), \(prepared.digest),
                date_trunc('second', now()), date_trunc('second', now()) + make_interval(secs => \(Double(request.seconds))),
                \(request.policy), \(policies.isEmpty ? nil : policies), \(request.sourceIdentity), \(record?.sourceARN),
                \(record?.sourceAccount), \(record?.viaService), \(record?.callerAccount), \(record?.sourceIPAddress),
                \(record?.userAgent), \(request.tags.json), \(request.transitiveTagKeys), \(request.mfaAt))
            RETURNING expires_at
            """, on: connection)
    }

    package func insert(
        _ prepared: PreparedSession, for request: UserSessionRequest, on connection: PostgresConnection
    ) async throws -> SessionCredentials {
        try await insert(
            prepared,
            """
            INSERT INTO sessions (
                access_key_id, user_id, made_with, sealed_secret, token_digest, created_at, expires_at, mfa_at)
            VALUES (
                \(prepared.accessKeyID), \(request.userID), \(request.accessKeyID), \(prepared.sealed), \(prepared.digest),
                date_trunc('second', now()), date_trunc('second', now()) + make_interval(secs => \(Double(request.seconds))),
                \(request.mfaAt))
            RETURNING expires_at
            """, on: connection)
    }

    private func insert(
        _ prepared: PreparedSession, _ insertion: PostgresQuery, on connection: PostgresConnection
    ) async throws -> SessionCredentials {
        let rows = try await connection.pipeline([
            insertion,
            """
            DELETE FROM sessions WHERE access_key_id IN (
                SELECT access_key_id FROM sessions
                WHERE expires_at < now() - make_interval(secs => \(Double(Self.expiredSessionSeconds)))
                ORDER BY expires_at LIMIT \(Self.expiredSessionsRemoved) FOR UPDATE SKIP LOCKED)
            """,
        ])
        guard let row = rows[0].first else { throw AccountsError(.noSuchEntity, "The session was not made.") }
        return SessionCredentials(
            accessKeyID: prepared.accessKeyID, secretAccessKey: prepared.secret, sessionToken: prepared.token,
            expiresAt: try row.get("expires_at"))
    }

    static func digest(of token: String) -> [UInt8] { Array(SHA256.hash(data: Array(token.utf8))) }
}
