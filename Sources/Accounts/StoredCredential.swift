import AWSProtocol
import Postgres
import Secrets

import struct FoundationEssentials.Date

/// An access key or session as the database has it.
struct StoredCredential: Sendable {
    let sealedSecret: [UInt8]
    let label: String
    let isActive: Bool
    let isExpired: Bool
    /// SHA-256 of the session's token; nil for a user's key, which has none.
    let tokenDigest: [UInt8]?
    let principal: Principal

    /// Whether the key is in use and the request brought the token that belongs to it, and none where none does.
    func accepts(token: String?) -> Bool {
        guard let tokenDigest else { return isActive && token == nil }
        let digest = AccountsStore.digest(of: token ?? "")
        return constantTimeEquals(digest, tokenDigest) && isActive
    }
}

extension AccountsStore {
    /// Looks up a credential by the id that a claim names.
    func credential(_ accessKeyID: String) async throws -> StoredCredential? {
        if accessKeyID.hasPrefix("ASIA") { return try await session(accessKeyID) }
        return try await pool.query(
            """
            SELECT k.account, k.sealed_secret, k.status, u.user_id, u.path, u.name, u.tags
            FROM access_keys k LEFT JOIN users u ON u.user_id = k.user_id
            WHERE k.access_key_id = \(accessKeyID)
            """
        ).first.map { try Self.key(accessKeyID, $0) }
    }

    private static func key(_ id: String, _ row: PostgresRow) throws -> StoredCredential {
        let account: String = try row.get("account")
        let status: AccessKeyEntity.Status = try row.get("status")
        let principal: Principal
        if let userID = try row.get("user_id", as: String?.self) {
            let name: String = try row.get("name")
            principal = Principal(
                kind: .user(.init(name: name, tags: try IdentityTags(json: try row.get("tags")))), account: account,
                arn: .user(account: account, path: try row.get("path"), name: name), userID: userID, accessKeyID: id)
        } else {
            principal = Principal(
                kind: .root, account: account, arn: ARN(service: "iam", region: "", account: account, resource: "root"),
                userID: account, accessKeyID: id)
        }
        return StoredCredential(
            sealedSecret: try row.get("sealed_secret"), label: accessKeyLabel(id), isActive: status == .active,
            isExpired: false, tokenDigest: nil, principal: principal)
    }

    private func session(_ id: String) async throws -> StoredCredential? {
        try await pool.query(
            """
            SELECT coalesce(r.account, u.account) AS account, r.path AS role_path, r.name AS role_name, r.role_id,
                   r.tags AS role_tags, u.user_id, u.path AS user_path, u.name AS user_name, u.tags AS user_tags,
                   coalesce(k.status = 'Active', true) AS is_active, s.name, s.sealed_secret, s.token_digest, s.created_at,
                   s.expires_at, s.expires_at <= clock_timestamp() AS is_expired, s.mfa_at, s.tags, s.transitive_tag_keys,
                   s.source_identity, s.source_arn, s.source_account, s.via_service, s.caller_account, s.source_ip,
                   s.user_agent
            FROM sessions s LEFT JOIN roles r ON r.role_id = s.role_id LEFT JOIN users u ON u.user_id = s.user_id
                LEFT JOIN access_keys k ON k.access_key_id = s.made_with
            WHERE s.access_key_id = \(id)
            """
        ).first.map { row in
            StoredCredential(
                sealedSecret: try row.get("sealed_secret"), label: Self.sessionLabel(id),
                isActive: try row.get("is_active"), isExpired: try row.get("is_expired"),
                tokenDigest: try row.get("token_digest"),
                principal: try row.get("user_id", as: String?.self) == nil
                    ? try Self.roleSession(id, row) : try Self.userSession(id, row))
        }
    }

    private static func userSession(_ id: String, _ row: PostgresRow) throws -> Principal {
        let account: String = try row.get("account")
        let name: String = try row.get("user_name")
        let session = Principal.UserSession(
            createdAt: try row.get("created_at"), expiresAt: try row.get("expires_at"), mfaAt: try row.get("mfa_at"))
        return Principal(
            kind: .user(.init(name: name, tags: try IdentityTags(json: try row.get("user_tags")), session: session)),
            account: account, arn: .user(account: account, path: try row.get("user_path"), name: name),
            userID: try row.get("user_id"), accessKeyID: id)
    }

    private static func roleSession(_ id: String, _ row: PostgresRow) throws -> Principal {
        let account: String = try row.get("account")
        let roleName: String = try row.get("role_name")
        let name: String = try row.get("name")
        let roleID: String = try row.get("role_id")
        let sessionTags = try IdentityTags(json: try row.get("tags"))
        let session = Principal.RoleSession(
            roleARN: .role(account: account, path: try row.get("role_path"), name: roleName), roleID: roleID, sessionName: name,
            createdAt: try row.get("created_at"), expiresAt: try row.get("expires_at"),
            sourceIdentity: try row.get("source_identity"), record: try record(row),
            tags: try IdentityTags(json: try row.get("role_tags")).overridden(by: sessionTags),
            transitiveTags: sessionTags.selecting(try row.get("transitive_tag_keys")), mfaAt: try row.get("mfa_at"))
        return Principal(
            kind: .assumedRole(session), account: account, arn: .session(account: account, role: roleName, name: name),
            userID: "\(roleID):\(name)", accessKeyID: id)
    }

    private static func record(_ row: PostgresRow) throws -> SessionRecord? {
        guard let viaService = try row.get("via_service", as: String?.self) else { return nil }
        return SessionRecord(
            sourceARN: try row.get("source_arn"), sourceAccount: try row.get("source_account"), viaService: viaService,
            callerAccount: try row.get("caller_account"), grantIsForAWSResource: true,
            sourceIPAddress: try row.get("source_ip"), userAgent: try row.get("user_agent"))
    }
}
