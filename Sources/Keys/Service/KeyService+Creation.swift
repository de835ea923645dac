import AWSProtocol
import Accounts
import AuditTrail
import Policies
import Postgres
import Secrets

import struct FoundationEssentials.Date
import struct FoundationEssentials.UUID

/// What CreateKey asks for; symmetric keys with material of our own are the only ones.
package struct KeyCreation: Sendable {
    package static let maximumDescriptionCharacters = 8192

    package var description: String
    /// Nil for the default policy, which hands the key to its account's own policies.
    package var policy: String?
    package var tags: [KeyTag]
    package var bypassesLockoutCheck: Bool

    package init(description: String = "", policy: String? = nil, tags: [KeyTag] = [], bypassesLockoutCheck: Bool = false)
        throws(KeyError)
    {
        guard description.unicodeScalars.count <= Self.maximumDescriptionCharacters else {
            throw KeyError(.validation, "A description has at most \(Self.maximumDescriptionCharacters) characters.")
        }
        try KeyTag.check(tags)
        self.description = description
        self.policy = policy
        self.tags = tags
        self.bypassesLockoutCheck = bypassesLockoutCheck
    }

    /// KMS developer guide, "Default key policy": all rights to the account, which delegates by policies of its own.
    package static func defaultPolicy(account: String) -> String {
        let policy: JSONValue = [
            "Version": "2012-10-17", "Id": "key-default-1",
            "Statement": [
                [
                    "Sid": "Enable IAM User Permissions", "Effect": "Allow",
                    "Principal": ["AWS": .string("arn:aws:iam::\(account):root")], "Action": "kms:*", "Resource": "*",
                ]
            ],
        ]
        return policy.serializedString
    }
}

extension KeyService {
    /// Makes a key. Its shred secret is on disk before any row is: a key that exists can be used.
    package func createKey(_ call: KeyCall, _ creation: KeyCreation) async throws(KeyError) -> KeyMetadata {
        let made = try await makeMaterial(account: call.caller.account, description: creation.description, at: call.time)
        let policy = creation.policy ?? KeyCreation.defaultPolicy(account: call.caller.account)
        do {
            return try await change(call) { connection in
                let context = Self.creationContext(creation)
                try await self.decideByIdentity(call, resource: "*", context: context, on: connection)
                if !creation.tags.isEmpty {
                    try await self.decideByIdentity(
                        call, .tagResource, resource: made.key.arn.description, context: context, on: connection)
                }
                if creation.policy != nil {
                    try await self.check(
                        policy: policy, of: made.key.arn, call: call, bypassesLockoutCheck: creation.bypassesLockoutCheck,
                        on: connection)
                }
                try await self.checkKeyCount(account: call.caller.account, on: connection)
                try await KeyRows.insert(made.key, policy: policy, tags: creation.tags, sealed: made.sealed, on: connection)
                call.concerns(made.key.arn)
                call.note { $0.responseElements = ["keyMetadata": .object(made.key.trail)] }
                return made.key
            }
        } catch {
            // Nothing was sealed under it that anybody could ask for.
            if error.code != .internal { await vault.discardShredSecret(named: made.key.keyID) }
            throw error
        }
    }

    /// Draws id, shred secret and material of a new key; nothing of it is in the database yet.
    func makeMaterial(
        account: String, description: String, at time: Date
    ) async throws(KeyError) -> (key: KeyMetadata, sealed: [UInt8]) {
        let keyID = UUID().uuidString.lowercased()
        let arn = ARN(service: "kms", region: region, account: account, resource: "key/\(keyID)")
        let materialID = randomBytes(CiphertextBlob.materialIDBytes)
        let key = KeyMetadata(
            keyID: keyID, arn: arn, description: description, state: .enabled, createdAt: time,
            currentMaterialID: Hex.encode(materialID))
        do {
            try await vault.createShredSecret(named: keyID)
            let material = SecretBytes.random(count: KeyMaterial.bytes)
            return (key, try await vault.sealMaterial(material, id: materialID, version: 1, of: arn))
        } catch {
            throw .internal("The key's material could not be stored.", cause: error)
        }
    }

    /// A policy must parse, name principals that exist, and leave its author able to change it again.
    func check(
        policy: String, of key: ARN, call: KeyCall, bypassesLockoutCheck: Bool, on connection: PostgresConnection
    ) async throws {
        let document: PolicyDocument
        do {
            document = try accounts.policies.document(policy, kind: .key)
        } catch {
            throw KeyError(error.code == .tooLarge ? .limitExceeded : .malformedPolicy, error.message)
        }
        for principal in document.principals {
            guard try await accounts.look(up: principal, on: connection) != .missing else {
                throw KeyError(
                    .malformedPolicy, "Policy contains a statement with one or more invalid principals.")
            }
        }
        if bypassesLockoutCheck { return }
        var context = call.caller.context
        context.merge(Self.keyConditions)
        let request = AuthorizationRequest(
            subject: call.caller.subject, action: KeyOperation.putKeyPolicy.action, resource: key.description, context: context)
        let decision = PolicyEvaluator.decideKey(
            request, keyPolicy: document, account: key.account,
            policies: try await accounts.policies(of: call.caller.principal, on: connection))
        guard decision.isAllowed else {
            throw KeyError(
                .malformedPolicy, "The new key policy will not allow you to update the key policy in the future.")
        }
    }

    private func checkKeyCount(account: String, on connection: PostgresConnection) async throws {
        let limit = limits.keysPerAccount
        let rows = try await connection.query(
            """
            SELECT count(*) AS n FROM (SELECT 1 FROM keys WHERE account = \(account) AND state <> 'Deleted' LIMIT \(limit)) AS few
            """)
        guard try rows.first?.get("n", as: Int.self) ?? 0 < limit else {
            throw KeyError(.limitExceeded, "The account has \(limit) keys, which is the most there may be.")
        }
    }

    private static func creationContext(_ creation: KeyCreation) -> ConditionContext {
        var context = keyConditions
        context.set("kms:BypassPolicyLockoutSafetyCheck", creation.bypassesLockoutCheck)
        context.merge(tagConditions(creation.tags))
        return context
    }
}

extension KeyMetadata {
    /// `keyMetadata` in the trail: the members of the answer in camel case.
    var trail: JSONObject {
        [
            "aWSAccountId": .string(account), "keyId": .string(keyID), "arn": .string(arn.description),
            "creationDate": .string(AWSTimestamp.extended(createdAt)), "enabled": .bool(state == .enabled),
            "description": .string(description), "keyUsage": .string(Self.keyUsage), "keyState": .string(state.rawValue),
            "origin": .string(Self.origin), "keyManager": "CUSTOMER", "customerMasterKeySpec": .string(Self.keySpec),
            "keySpec": .string(Self.keySpec), "encryptionAlgorithms": [.string(Self.encryptionAlgorithm)], "multiRegion": false,
            "currentKeyMaterialId": .string(currentMaterialID),
        ]
    }
}
