import AWSProtocol
import Crypto
package import Postgres
package import Secrets

package import struct FoundationEssentials.Date

/// A session that is to be made.
package struct SessionRequest: Sendable {
    package var role: RoleEntity
    package var name: String
    package var seconds: Int
    /// JSON; checked by whoever read it.
    package var policy: String?
    package var sourceIdentity: String?
    package var record: SessionRecord?

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
}

extension AccountsStore {
    /// Expired sessions stay for a day, so that their holders hear ExpiredToken rather than that nobody knows them.
    package static let expiredSessionSeconds = 86_400
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
        let digest = Self.digest(of: prepared.token.revealed)
        let rows = try await connection.pipeline([
            """
            INSERT INTO sessions (
                access_key_id, role_id, name, sealed_secret, token_digest, created_at, expires_at, session_policy,
                source_identity, source_arn, source_account, via_service, caller_account, source_ip, user_agent)
            VALUES (
                \(prepared.accessKeyID), \(request.role.roleID), \(request.name), \(prepared.sealed), \(digest),
                date_trunc('second', now()), date_trunc('second', now()) + make_interval(secs => \(Double(request.seconds))),
                \(request.policy), \(request.sourceIdentity), \(record?.sourceARN), \(record?.sourceAccount),
                \(record?.viaService), \(record?.callerAccount), \(record?.sourceIPAddress), \(record?.userAgent))
            RETURNING expires_at
            """,
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
