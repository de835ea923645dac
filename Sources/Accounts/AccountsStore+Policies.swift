import AWSProtocol
package import Policies
package import Postgres

extension AccountsStore {
    /// The most characters of a user's inline policy without white space; a role's may have the most that the kind has.
    package static let maximumUserPolicyCharacters = 2048
    /// Inline policies of one user or role.
    package static let maximumPolicies = 50
    /// What a session's inline policy is called, which has no name of its own.
    static let inlineSessionPolicy = "inline"

    package func putPolicy(
        _ name: String, document: String, of owner: PolicyOwner, account: String, by actor: AdminActor
    ) async throws {
        try NameRules.policyName(name)
        try check(document, kind: .identity)
        if case .user = owner {
            let characters = document.unicodeScalars.count { !["\t", "\n", "\r", " "].contains($0) }
            guard characters <= Self.maximumUserPolicyCharacters else {
                throw AccountsError(
                    .malformedPolicy, "A user's policy has at most \(Self.maximumUserPolicyCharacters) characters.")
            }
        }
        var event = Self.event("Put", owner, account: account, policy: name)
        event.parameters["policyDocument"] = .string(document)
        try await change(event, by: actor) { connection in
            let table = try await self.table(of: owner, account: account, on: connection)
            let others = try await connection.query(
                "SELECT 1 FROM \(raw: table.name) WHERE \(raw: table.column) = \(table.id) AND name <> \(name)"
            ).count
            guard others < Self.maximumPolicies else {
                throw AccountsError(.limitExceeded, "There are \(Self.maximumPolicies) policies, which is the most there may be.")
            }
            _ = try await connection.execute(
                """
                INSERT INTO \(raw: table.name) (\(raw: table.column), name, document)
                VALUES (\(table.id), \(name), \(document))
                ON CONFLICT (\(raw: table.column), name) DO UPDATE SET document = EXCLUDED.document
                """)
        }
    }

    package func deletePolicy(
        _ name: String, of owner: PolicyOwner, account: String, by actor: AdminActor
    ) async throws {
        try await change(Self.event("Delete", owner, account: account, policy: name), by: actor) { connection in
            let table = try await self.table(of: owner, account: account, on: connection)
            let changed = try await connection.execute(
                "DELETE FROM \(raw: table.name) WHERE \(raw: table.column) = \(table.id) AND name = \(name)")
            guard changed == 1 else { throw AccountsError(.noSuchEntity, "There is no policy \(name).") }
        }
    }

    /// Names and documents as they were put.
    package func policies(of owner: PolicyOwner, account: String) async throws -> [(name: String, document: String)] {
        let rows = try await pool.withConnection { connection in
            let table = try await self.table(of: owner, account: account, on: connection)
            return try await connection.query(
                "SELECT name, document FROM \(raw: table.name) WHERE \(raw: table.column) = \(table.id) ORDER BY name")
        }
        return try rows.map { (name: try $0.get("name"), document: try $0.get("document")) }
    }

    /// What a principal's own policies are now: of the user, or of the session's role with what the session was narrowed to.
    ///
    /// Throws where a stored document does not parse: what cannot be read might be a Deny.
    package func policies(
        of principal: Principal, on connection: PostgresConnection
    ) async throws -> SubjectPolicies {
        switch principal.kind {
        case .root:
            return .none
        case .user:
            let rows = try await connection.query(
                "SELECT name, document FROM user_policies WHERE user_id = \(principal.userID) ORDER BY name")
            return SubjectPolicies(identity: try rows.map(attached))
        case .assumedRole(let session) where principal.accessKeyID.isEmpty:
            // A session that the role could have (`RoleEntity.principal`): nothing narrows it.
            return try await policies(ofRole: session.roleID, on: connection)
        case .assumedRole(let session):
            let answers = try await connection.pipeline([
                "SELECT name, document FROM role_policies WHERE role_id = \(session.roleID) ORDER BY name",
                """
                SELECT session_policy FROM sessions
                WHERE access_key_id = \(principal.accessKeyID) AND role_id = \(session.roleID)
                """,
            ])
            // A session that is gone since it signed has no right left; an empty session policy would be none at all.
            guard let row = answers[1].first else { throw AccountsError(.sessionEnded, "The session has ended.") }
            let narrowed = try row.get("session_policy", as: String?.self)
            return SubjectPolicies(
                identity: try answers[0].map(attached),
                session: try narrowed.map {
                    [AttachedPolicy(name: Self.inlineSessionPolicy, document: try policies.document($0, kind: .session))]
                } ?? [])
        }
    }

    /// What a role's policies are now, for a question about sessions that it would have.
    package func policies(of role: RoleEntity, on connection: PostgresConnection) async throws -> SubjectPolicies {
        try await policies(ofRole: role.roleID, on: connection)
    }

    private func policies(ofRole id: String, on connection: PostgresConnection) async throws -> SubjectPolicies {
        let rows = try await connection.query(
            "SELECT name, document FROM role_policies WHERE role_id = \(id) ORDER BY name")
        return SubjectPolicies(identity: try rows.map(attached))
    }

    func check(_ document: String, kind: PolicyDocument.Kind) throws {
        do {
            _ = try policies.document(document, kind: kind)
        } catch {
            throw AccountsError(.malformedPolicy, error.message)
        }
    }

    private func attached(_ row: PostgresRow) throws -> AttachedPolicy {
        AttachedPolicy(name: try row.get("name"), document: try policies.document(try row.get("document"), kind: .identity))
    }

    private func table(
        of owner: PolicyOwner, account: String, on connection: PostgresConnection
    ) async throws -> (name: String, column: String, id: String) {
        switch owner {
        case .user(let name):
            ("user_policies", "user_id", try await requiredUser(name, account: account, on: connection).userID)
        case .role(let name):
            ("role_policies", "role_id", try await requiredRole(name, account: account, on: connection).roleID)
        }
    }

    private static func event(_ verb: String, _ owner: PolicyOwner, account: String, policy: String) -> AccountEvent {
        switch owner {
        case .user(let name):
            AccountEvent(
                name: "\(verb)UserPolicy", account: account,
                parameters: ["userName": .string(name), "policyName": .string(policy)])
        case .role(let name):
            AccountEvent(
                name: "\(verb)RolePolicy", account: account,
                parameters: ["roleName": .string(name), "policyName": .string(policy)])
        }
    }
}
