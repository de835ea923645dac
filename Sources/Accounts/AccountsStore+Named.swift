import AWSProtocol
package import Postgres

package import struct FoundationEssentials.Date

extension AccountsStore {
    /// Whom an access key id or an ARN (of root, a user, a role or a session) names, for questions about what they may do.
    ///
    /// A role stands for a session that nothing narrows; the ARN of a session for the newest one of that name that has not
    /// ended, or else again for such a one. Throws NoSuchEntity for anybody who does not exist.
    package func principal(
        named text: String, now: Date, on connection: PostgresConnection
    ) async throws -> Principal {
        let found: Principal?
        if let arn = ARN(text) {
            found = try await principal(arn, now: now, on: connection)
        } else {
            found = try await credential(text)?.principal
        }
        guard let found else { throw AccountsError(.noSuchEntity, "There is nobody of that ARN or access key id.") }
        return found
    }

    private func principal(_ arn: ARN, now: Date, on connection: PostgresConnection) async throws -> Principal? {
        switch (arn.service, arn.resourceType) {
        case ("iam", "") where arn.resource == "root":
            guard try await accountExists(arn.account, on: connection) else { return nil }
            return Principal(kind: .root, account: arn.account, arn: arn, userID: arn.account, accessKeyID: "")
        case ("iam", "user"):
            guard let user = try await user(arn.baseName, account: arn.account, on: connection), user.arn == arn else {
                return nil
            }
            return Principal(
                kind: .user(.init(name: user.name)), account: arn.account, arn: arn, userID: user.userID, accessKeyID: "")
        case ("iam", "role"):
            return try await role(arn, on: connection)?.principal(session: "explain", at: now)
        case ("sts", "assumed-role"):
            let parts = arn.resource.split(separator: "/").map(String.init)
            guard parts.count == 3, let role = try await role(parts[1], account: arn.account, on: connection) else { return nil }
            let newest = try await connection.query(
                """
                SELECT access_key_id FROM sessions
                WHERE role_id = \(role.roleID) AND name = \(parts[2]) AND expires_at > now()
                ORDER BY created_at DESC LIMIT 1
                """
            ).first?.get("access_key_id", as: String.self)
            guard let newest else { return role.principal(session: parts[2], at: now) }
            return try await credential(newest)?.principal
        default:
            return nil
        }
    }
}
