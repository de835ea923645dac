import AWSProtocol
import Policies
package import Postgres

extension AccountsStore {
    /// Characters without white space that the inline policies of one user, group or role have together.
    package static let maximumUserPolicyCharacters = 2048
    package static let maximumGroupPolicyCharacters = 5120
    package static let maximumRolePolicyCharacters = 10_240
    /// Inline policies of one user, group or role.
    package static let maximumPolicies = 50
    /// What a session's inline policy is called, which has no name of its own.
    static let inlineSessionPolicy = "inline"
    /// Characters of a document with its white space.
    package static let maximumDocumentCharacters = 65_536

    package func putPolicy(
        _ name: String, document: String, of owner: PolicyOwner, account: String, by actor: AdminActor
    ) async throws {
        var event = Self.event("Put", owner, account: account, policy: name)
        event.parameters["policyDocument"] = .string(document)
        try await change(event, by: actor) { connection in
            let identity = try await self.requiredIdentity(owner, account: account, on: connection)
            try await self.putPolicy(name, document: document, of: identity, on: connection)
        }
    }

    package func putPolicy(
        _ name: String, document: String, of identity: Identity, on connection: PostgresConnection
    ) async throws {
        try NameRules.policyName(name)
        try check(document, kind: .identity)
        let kind = identity.kind
        try await lock(identity, on: connection)
        let others = try await connection.query(
            """
            SELECT document FROM \(raw: kind.policyTable)
            WHERE \(raw: kind.column) = \(identity.id) AND name <> \(name)
            """
        ).map { try $0.get("document", as: String.self) }
        guard others.count < Self.maximumPolicies else {
            throw AccountsError(.limitExceeded, "There are \(Self.maximumPolicies) policies, which is the most there may be.")
        }
        let characters = (others + [document]).map(Self.countedCharacters).reduce(0, +)
        guard characters <= kind.maximumPolicyCharacters else {
            throw AccountsError(
                .limitExceeded,
                "Maximum policy size of \(kind.maximumPolicyCharacters) bytes exceeded for \(kind) \(identity.name)")
        }
        _ = try await connection.execute(
            """
            INSERT INTO \(raw: kind.policyTable) (\(raw: kind.column), name, document)
            VALUES (\(identity.id), \(name), \(document))
            ON CONFLICT (\(raw: kind.column), name) DO UPDATE SET document = EXCLUDED.document
            """)
    }

    package func deletePolicy(
        _ name: String, of owner: PolicyOwner, account: String, by actor: AdminActor
    ) async throws {
        try await change(Self.event("Delete", owner, account: account, policy: name), by: actor) { connection in
            let identity = try await self.requiredIdentity(owner, account: account, on: connection)
            try await self.deletePolicy(name, of: identity, on: connection)
        }
    }

    package func deletePolicy(_ name: String, of identity: Identity, on connection: PostgresConnection) async throws {
        let changed = try await connection.execute(
            """
            DELETE FROM \(raw: identity.kind.policyTable)
            WHERE \(raw: identity.kind.column) = \(identity.id) AND name = \(name)
            """)
        guard changed == 1 else { throw Self.missingPolicy(name, of: identity) }
    }

    /// Names and documents as they were put.
    package func policies(of owner: PolicyOwner, account: String) async throws -> [(name: String, document: String)] {
        try await pool.withConnection { connection in
            let identity = try await self.requiredIdentity(owner, account: account, on: connection)
            return try await self.inlinePolicies(of: identity, on: connection)
        }
    }

    package func inlinePolicies(
        of identity: Identity, on connection: PostgresConnection
    ) async throws -> [(name: String, document: String)] {
        try await connection.query(
            """
            SELECT name, document FROM \(raw: identity.kind.policyTable)
            WHERE \(raw: identity.kind.column) = \(identity.id) ORDER BY name COLLATE "C"
            """
        ).map { (name: try $0.get("name"), document: try $0.get("document")) }
    }

    /// The document of one inline policy.
    package func inlinePolicy(
        _ name: String, of identity: Identity, on connection: PostgresConnection
    ) async throws -> String {
        let rows = try await connection.query(
            """
            SELECT document FROM \(raw: identity.kind.policyTable)
            WHERE \(raw: identity.kind.column) = \(identity.id) AND name = \(name)
            """)
        guard let row = rows.first else { throw Self.missingPolicy(name, of: identity) }
        return try row.get("document")
    }

    /// A document that breaks the grammar is malformed, one that is too long exceeds a limit.
    func check(_ document: String, kind: PolicyDocument.Kind) throws {
        guard document.unicodeScalars.count <= Self.maximumDocumentCharacters else {
            throw AccountsError(.limitExceeded, "A policy has at most \(Self.maximumDocumentCharacters) characters.")
        }
        do {
            _ = try policies.document(document, kind: kind)
        } catch {
            throw AccountsError(error.code == .tooLarge ? .limitExceeded : .malformedPolicy, error.message)
        }
    }

    /// Characters as IAM counts them.
    static func countedCharacters(_ document: String) -> Int {
        document.unicodeScalars.count { !["\t", "\n", "\r", " "].contains($0) }
    }

    private static func missingPolicy(_ name: String, of identity: Identity) -> AccountsError {
        AccountsError(.noSuchEntity, "The \(identity.kind) policy with name \(name) cannot be found.")
    }

    private static func event(_ verb: String, _ owner: PolicyOwner, account: String, policy: String) -> AccountEvent {
        AccountEvent(
            name: "\(verb)\(owner.kind.title)Policy", account: account,
            parameters: ["\(owner.kind)Name": .string(owner.name), "policyName": .string(policy)])
    }
}
