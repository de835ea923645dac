import AWSProtocol
import AuditTrail
import Policies
import Postgres

extension KeyService {
    /// Has an alias stand for another key of the account. The caller's own policies must allow it on the alias, and the old and the
    /// new key must allow it too.
    package func updateAlias(_ call: KeyCall, name: String, key reference: KeyReference) async throws(KeyError) {
        let changed = try await change(call) { connection in
            let former = try await self.decideOnAlias(call, name, on: connection)
            let key = try await self.decide(call, reference, DecisionInput(lock: .update), on: connection).key
            try await KeyRows.changeOne(
                """
                UPDATE key_aliases SET key_id = \(key.keyID), updated_at = date_trunc('milliseconds', clock_timestamp())
                WHERE account = \(call.caller.account) AND name = \(name) AND key_id = \(former.keyID)
                """, on: connection)
            try await self.checkAliasCount(of: key.keyID, on: connection)
            self.noteAlias(name, of: key.arn, call)
            return [former.arn, key.arn]
        }
        for key in changed { await announce(KeyEvent(kind: .policyChanged, key: key)) }
    }

    /// Removes an alias; the key stays as it is. The caller's own policies must allow it on the alias, and the key must allow it.
    package func deleteAlias(_ call: KeyCall, name: String) async throws(KeyError) {
        let key = try await change(call) { connection in
            let key = try await self.decideOnAlias(call, name, on: connection)
            try await KeyRows.changeOne(
                """
                DELETE FROM key_aliases WHERE account = \(call.caller.account) AND name = \(name) AND key_id = \(key.keyID)
                """, on: connection)
            self.noteAlias(name, of: key.arn, call)
            return key.arn
        }
        // Conditions on kms:ResourceAliases may hold no longer.
        await announce(KeyEvent(kind: .policyChanged, key: key))
    }

    /// The key behind an alias of the caller's account, locked, once both may be changed so. Its state plays no part.
    private func decideOnAlias(_ call: KeyCall, _ name: String, on connection: PostgresConnection) async throws -> KeyRow {
        let alias = ARN(service: "kms", region: region, account: call.caller.account, resource: name)
        try await decideByIdentity(call, resource: alias.description, on: connection)
        // The alias first: while this waits for the key's lock, nobody has it stand for another.
        let locked = try await connection.query(
            "SELECT 1 FROM key_aliases WHERE account = \(call.caller.account) AND name = \(name) FOR UPDATE")
        guard !locked.isEmpty else { throw KeyError.aliasNotFound(alias) }
        let input = DecisionInput(lock: .update, acceptsAlias: true, checksState: false)
        return try await decide(call, .aliasName(name), input, on: connection).key
    }

    /// The record has the alias beside the key.
    func noteAlias(_ name: String, of key: ARN, _ call: KeyCall) {
        let account = call.caller.account
        let alias = ARN(service: "kms", region: region, account: account, resource: name)
        call.answers(key)
        call.note { $0.resources.append(.init(accountID: account, type: "AWS::KMS::Alias", arn: alias.description)) }
    }
}
