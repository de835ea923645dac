import AWSProtocol
package import Policies
package import Postgres

/// What a principal named in a policy or a grant is.
package enum NamedPrincipal: Sendable, Hashable {
    /// `*`, a service or an identity provider: nothing here to look up.
    case unchecked
    case account(String)
    /// A user, or the role itself or behind a session, with its unique id.
    case identity(String)
    case missing
}

extension AccountsStore {
    /// Looks up whom an entry names, so that a policy or grant for nobody is refused and a grant is bound to a unique id.
    package func look(
        up pattern: PrincipalPattern, on connection: PostgresConnection
    ) async throws -> NamedPrincipal {
        switch pattern {
        case .anyone, .service, .federated:
            return .unchecked
        case .account(let number):
            return try await accountExists(number, on: connection) ? .account(number) : .missing
        case .uniqueID(let id):
            let found = try await connection.query(
                "SELECT 1 FROM users WHERE user_id = \(id) UNION ALL SELECT 1 FROM roles WHERE role_id = \(id)")
            return found.isEmpty ? .missing : .identity(id)
        case .arn(let text):
            guard let arn = ARN(text) else { return .missing }
            return try await identityID(of: arn, on: connection).map(NamedPrincipal.identity) ?? .missing
        }
    }

    private func identityID(of arn: ARN, on connection: PostgresConnection) async throws -> String? {
        switch (arn.service, arn.resourceType) {
        case ("iam", "role"):
            return try await role(arn, on: connection)?.roleID
        case ("iam", "user"):
            guard let user = try await user(arn.baseName, account: arn.account, on: connection), user.arn == arn else {
                return nil
            }
            return user.userID
        case ("sts", "assumed-role"):
            let parts = arn.resource.split(separator: "/")
            guard parts.count == 3 else { return nil }
            let role = try await role(String(parts[1]), account: arn.account, on: connection)
            return role?.name == String(parts[1]) ? role?.roleID : nil
        default:
            return nil
        }
    }
}
