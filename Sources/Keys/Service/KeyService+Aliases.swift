package import AWSProtocol
import AuditTrail
import Policies
import Postgres

package import struct FoundationEssentials.Date

/// An alias as ListAliases shows it.
package struct KeyAlias: Sendable, Equatable {
    package var name: String
    package var arn: ARN
    package var targetKeyID: String
    package var createdAt: Date
    package var updatedAt: Date
}

extension KeyService {
    /// `alias/` and 1 to 250 letters, digits, slashes, underscores, hyphens and colons; `alias/aws/` is not for customers.
    static func check(aliasName name: String) throws(KeyError) {
        let rest = name.utf8.dropFirst("alias/".utf8.count)
        guard name.hasPrefix("alias/"), (1...250).contains(rest.count),
            rest.allSatisfy({
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || "/_-:".utf8.contains($0)
            })
        else {
            throw KeyError(
                .invalidAliasName, "Alias must start with the prefix \"alias/\" and hold letters, digits and /_- alone.")
        }
        guard !name.hasPrefix("alias/aws/") else {
            throw KeyError(.invalidAliasName, "Alias names that begin with alias/aws/ are reserved.")
        }
    }

    /// Both the alias (by the caller's own policies) and the key (by its policy) must allow.
    package func createAlias(_ call: KeyCall, name: String, key reference: KeyReference) async throws(KeyError) {
        let target = try await change(call) { connection in
            try Self.check(aliasName: name)
            let account = call.caller.account
            let alias = ARN(service: "kms", region: self.region, account: account, resource: name)
            try await self.decideByIdentity(call, resource: alias.description, on: connection)
            let key = try await self.decide(call, reference, DecisionInput(lock: .update), on: connection).key
            try await self.insertAlias(name, key: key.keyID, account: account, on: connection)
            self.noteAlias(name, of: key.arn, call)
            return key.arn
        }
        // A Deny on kms:ResourceAliases may hold from now on.
        await announce(KeyEvent(kind: .policyChanged, key: target))
    }

    func insertAlias(_ name: String, key: String, account: String, on connection: PostgresConnection) async throws {
        let inserted = try await connection.execute(
            """
            INSERT INTO key_aliases (account, name, key_id) VALUES (\(account), \(name), \(key))
            ON CONFLICT (account, name) DO NOTHING
            """)
        guard inserted == 1 else {
            let alias = ARN(service: "kms", region: region, account: account, resource: name)
            throw KeyError(.alreadyExists, "An alias with the name \(alias) already exists")
        }
        try await checkAliasCount(of: key, on: connection)
    }

    /// Whether as many aliases may stand for the key, which this transaction has locked and given one more.
    func checkAliasCount(of key: String, on connection: PostgresConnection) async throws {
        let limit = limits.aliasesPerKey
        let count = try await connection.query(
            "SELECT count(*) AS n FROM key_aliases WHERE key_id = \(key)"
        ).first?.get("n", as: Int.self)
        guard count ?? 0 <= limit else {
            throw KeyError(.limitExceeded, "The key has \(limit) aliases, which is the most there may be.")
        }
    }

    /// Aliases of the caller's account by name, of one key or of all.
    package func listAliases(
        _ call: KeyCall, key reference: KeyReference?, limit: Int, marker: String?
    ) async throws(KeyError) -> ListPage<KeyAlias> {
        try await read(call) { connection in
            let account = call.caller.account
            try await self.decideByIdentity(call, resource: "*", on: connection)
            var keyID: String?
            if let reference {
                let key = try await self.locate(
                    call.caller, call.operation, reference, DecisionInput(), concerns: call.concerns,
                    reading: self.reading(on: connection))
                guard key.account == account else { throw KeyError.keyNotFound(key.arn) }
                keyID = key.keyID
            }
            let parameters = ["ListAliases", account, keyID ?? ""]
            let after = try ListMarker.read(marker, parameters: parameters)
            let rows = try await connection.query(
                """
                SELECT name, key_id, created_at, updated_at FROM key_aliases
                WHERE account = \(account) AND name > \(after)
                  AND (\(keyID as String?)::text IS NULL OR key_id = \(keyID as String?)::text)
                ORDER BY name LIMIT \(limit + 1)
                """)
            let aliases = try rows.map { row in
                let name: String = try row.get("name")
                return KeyAlias(
                    name: name, arn: ARN(service: "kms", region: self.region, account: account, resource: name),
                    targetKeyID: try row.get("key_id"), createdAt: try row.get("created_at"),
                    updatedAt: try row.get("updated_at"))
            }
            return ListPage(found: aliases, limit: limit, parameters: parameters) { $0.name }
        }
    }
}
