import AWSProtocol
package import Postgres

extension AccountsStore {
    /// A user, group or role by its name, whose case does not count.
    package func identity(
        _ owner: PolicyOwner, account: String, on connection: PostgresConnection
    ) async throws -> Identity? {
        switch owner {
        case .user(let name): try await user(name, account: account, on: connection).map(Identity.init)
        case .group(let name): try await group(name, account: account, on: connection).map(Identity.init)
        case .role(let name): try await role(name, account: account, on: connection).map(Identity.init)
        }
    }

    package func requiredIdentity(
        _ owner: PolicyOwner, account: String, on connection: PostgresConnection
    ) async throws -> Identity {
        guard let identity = try await identity(owner, account: account, on: connection) else { throw Self.missing(owner) }
        return identity
    }

    package static func missing(_ owner: PolicyOwner) -> AccountsError {
        AccountsError(.noSuchEntity, "The \(owner.kind) with name \(owner.name) cannot be found.")
    }

    /// Locks the row until the transaction ends: who counts or checks what belongs to it does so one after the other.
    func lock(_ identity: Identity, on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            """
            SELECT 1 FROM \(raw: identity.kind.table) WHERE \(raw: identity.kind.column) = \(identity.id) FOR UPDATE
            """)
        guard !rows.isEmpty else {
            throw AccountsError(.noSuchEntity, "The \(identity.kind) with name \(identity.name) cannot be found.")
        }
    }

    /// Gives a user or group another name or path, or both. Its unique id and what belongs to it stay.
    package func rename(
        _ identity: Identity, name: String, path: String, on connection: PostgresConnection
    ) async throws {
        precondition(identity.kind != .role, "Roles keep their names.")
        try NameRules.name(name, of: identity.kind)
        try NameRules.path(path)
        let changed = try await connection.execute(
            """
            UPDATE \(raw: identity.kind.table) SET name = \(name), path = \(path)
            WHERE \(raw: identity.kind.column) = \(identity.id)
            """)
        try Self.expect(changed, PolicyOwner(identity.kind, identity.name))
    }

    /// Fails where there are as many as there may be. The account's row orders those who count at the same time.
    func checkQuota(_ maximum: Int, of table: String, account: String, on connection: PostgresConnection) async throws {
        let answers = try await connection.pipeline([
            "SELECT 1 FROM accounts WHERE account = \(account) FOR NO KEY UPDATE",
            "SELECT count(*) AS count FROM \(raw: table) WHERE account = \(account)",
        ])
        let count = try answers[1].first?.get("count", as: Int.self) ?? 0
        guard count < maximum else {
            throw AccountsError(.limitExceeded, "The account has \(maximum) of them, which is the most it may have.")
        }
    }

    static func expect(_ changed: Int, _ owner: PolicyOwner) throws {
        guard changed == 1 else { throw missing(owner) }
    }

    /// The ARN of a policy in a query that joins `managed_policies` as `b`; null where there is none.
    static let boundaryARN = "'arn:aws:iam::' || b.account || ':policy' || b.path || b.name AS boundary"
}
