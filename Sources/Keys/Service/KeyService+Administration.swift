package import AWSProtocol
import Policies
import Postgres

import struct FoundationEssentials.Date

extension KeyService {
    package static let defaultPolicyName = "default"

    package func describeKey(
        _ call: KeyCall, key reference: KeyReference, grantTokens: [String]
    ) async throws(KeyError) -> KeyMetadata {
        try await read(call) { connection in
            for token in grantTokens { _ = try self.tokens.grantID(of: token) }
            var input = DecisionInput(acceptsAlias: true)
            input.context = Self.aliasCondition(reference)
            return try await self.decide(call, reference, input, on: connection).key.metadata
        }
    }

    /// Keys of the caller's account by id; none where only those are asked for that others share, because nobody shares keys here.
    package func listKeys(
        _ call: KeyCall, includesOwn: Bool = true, limit: Int, marker: String?
    ) async throws(KeyError) -> ListPage<ARN> {
        try await read(call) { connection in
            let account = call.caller.account
            try await self.decideByIdentity(call, resource: "*", on: connection)
            let parameters = ["ListKeys", account, String(includesOwn)]
            let after = try ListMarker.read(marker, parameters: parameters)
            let rows = try await connection.query(
                """
                SELECT arn FROM keys
                WHERE account = \(account) AND state <> 'Deleted' AND key_id > \(after) AND \(includesOwn)
                ORDER BY key_id LIMIT \(limit + 1)
                """)
            let arns = try rows.compactMap { ARN(try $0.get("arn", as: String.self)) }
            return ListPage(found: arns, limit: limit, parameters: parameters) { $0.resourceName }
        }
    }

    package func enableKey(_ call: KeyCall, key reference: KeyReference) async throws(KeyError) {
        let key = try await setState(.enabled, call, reference)
        await announce(KeyEvent(kind: .keyEnabled, key: key))
    }

    /// From the next use on, the key opens and seals nothing.
    package func disableKey(_ call: KeyCall, key reference: KeyReference) async throws(KeyError) {
        let key = try await setState(.disabled, call, reference)
        await announce(KeyEvent(kind: .keyDisabled, key: key))
    }

    package func updateKeyDescription(
        _ call: KeyCall, key reference: KeyReference, description: String
    ) async throws(KeyError) {
        try await change(call) { connection in
            guard description.unicodeScalars.count <= KeyCreation.maximumDescriptionCharacters else {
                throw KeyError(.validation, "A description has at most \(KeyCreation.maximumDescriptionCharacters) characters.")
            }
            let key = try await self.decide(call, reference, DecisionInput(lock: .update), on: connection).key
            try await KeyRows.changeOne(
                "UPDATE keys SET description = \(description) WHERE key_id = \(key.keyID)", on: connection)
            call.answers(key.arn)
        }
    }

    private func setState(_ state: KeyState, _ call: KeyCall, _ reference: KeyReference) async throws(KeyError) -> ARN {
        try await change(call) { connection in
            let key = try await self.decide(call, reference, DecisionInput(lock: .update), on: connection).key
            if key.metadata.state != state { try await KeyRows.setState(state, of: key, on: connection) }
            call.answers(key.arn)
            return key.arn
        }
    }

    package func keyPolicy(_ call: KeyCall, key reference: KeyReference, name: String) async throws(KeyError) -> String {
        try await read(call) { connection in
            let key = try await self.decide(call, reference, on: connection).key
            guard name == Self.defaultPolicyName else { throw KeyError(.notFound, "No such policy exists") }
            return key.policy
        }
    }

    /// Names of the key's policies: the one. There never is a second page, so no marker is good.
    package func listKeyPolicies(
        _ call: KeyCall, key reference: KeyReference, marker: String? = nil
    ) async throws(KeyError) -> [String] {
        try await read(call) { connection in
            _ = try await self.decide(call, reference, on: connection)
            guard marker == nil else { throw KeyError.invalidMarker }
            return [Self.defaultPolicyName]
        }
    }

    package func putKeyPolicy(
        _ call: KeyCall, key reference: KeyReference, name: String, policy: String, bypassesLockoutCheck: Bool
    ) async throws(KeyError) {
        let arn = try await change(call) { connection in
            var input = DecisionInput(lock: .update)
            input.context.set("kms:BypassPolicyLockoutSafetyCheck", bypassesLockoutCheck)
            let key = try await self.decide(call, reference, input, on: connection).key
            guard name == Self.defaultPolicyName else { throw KeyError(.notFound, "No such policy exists") }
            try await self.check(
                policy: policy, of: key.arn, call: call, bypassesLockoutCheck: bypassesLockoutCheck, on: connection)
            try await KeyRows.setPolicy(policy, of: key, on: connection)
            call.answers(key.arn)
            return key.arn
        }
        await announce(KeyEvent(kind: .policyChanged, key: arn))
    }
}
