package import AWSProtocol
import Accounts
import AuditTrail
import Policies
import Postgres

import struct FoundationEssentials.Date
import struct FoundationEssentials.UUID

extension KeyService {
    package static func defaultKeyAlias(of account: String) -> String { "alias/forecastle/default/\(account)" }

    /// The key in the service's account that protects what a customer's account named no key for; made on the first call.
    ///
    /// Calling it again, also from several processes at once, gives the same key.
    package func ensureDefaultKey(of account: String) async throws -> ARN {
        precondition(ARN.isAccountID(account), "An account's id has twelve digits.")
        if let arn = try await defaultKey(of: account) { return arn }
        let now = Date()
        let made = try await makeMaterial(
            account: identity.account, description: "Default key of account \(account) for Forecastle", at: now)
        let alias = Self.defaultKeyAlias(of: account)
        do {
            try await pool.retryingSerialization { connection in
                try await KeyRows.insert(
                    made.key, policy: self.defaultKeyPolicy(of: account), tags: [], sealed: made.sealed, on: connection)
                try await self.insertAlias(alias, key: made.key.keyID, account: self.identity.account, on: connection)
                try await self.trail.append(self.record(of: made.key, alias: alias, at: now), on: connection)
            }
            return made.key.arn
        } catch let error as KeyError where error.code == .alreadyExists {
            await vault.discardShredSecret(named: made.key.keyID)
            guard let arn = try await defaultKey(of: account) else { throw error }
            return arn
        }
    }

    /// The default key of an account, if it has one.
    package func defaultKey(of account: String) async throws -> ARN? {
        try await pool.withConnection { connection in
            try await KeyRows.find(
                .aliasName(Self.defaultKeyAlias(of: account)), account: self.identity.account, region: self.region,
                on: connection)?.arn
        }
    }

    /// The service's principals may make grants for that account's data alone, and nobody gets to use the key but through
    /// such a grant. The service account's administrators keep what they need to look after it, no use of it among that.
    func defaultKeyPolicy(of account: String) -> String {
        let principals = JSONValue.strings(
            [
                identity.userARN(ServiceIdentity.apiUser), identity.userARN(ServiceIdentity.workerUser),
                identity.roleARN(ServiceIdentity.apiRole), identity.roleARN(ServiceIdentity.workerRole),
            ].map(\.description))
        let policy: JSONValue = [
            "Version": "2012-10-17", "Id": "forecastle-default-key",
            "Statement": [
                [
                    "Sid": "Grants for this account's data", "Effect": "Allow", "Principal": ["AWS": principals],
                    "Action": "kms:CreateGrant", "Resource": "*",
                    "Condition": [
                        "StringEquals": ["kms:EncryptionContext:forecastle:account": .string(account)],
                        "ForAllValues:StringEquals": ["kms:GrantOperations": ["Decrypt", "GenerateDataKey", "RetireGrant"]],
                    ],
                ],
                [
                    "Sid": "Look at the key and end its grants", "Effect": "Allow", "Principal": ["AWS": principals],
                    "Action": ["kms:DescribeKey", "kms:ListGrants", "kms:RetireGrant"], "Resource": "*",
                ],
                [
                    "Sid": "Administration", "Effect": "Allow",
                    "Principal": ["AWS": .string("arn:aws:iam::\(identity.account):root")],
                    "Action": [
                        "kms:DescribeKey", "kms:EnableKey", "kms:DisableKey", "kms:GetKeyPolicy", "kms:ListKeyPolicies",
                        "kms:PutKeyPolicy", "kms:ListGrants", "kms:RevokeGrant", "kms:CreateAlias", "kms:ScheduleKeyDeletion",
                        "kms:CancelKeyDeletion",
                    ],
                    "Resource": "*",
                ],
            ],
        ]
        return policy.serializedString
    }

    private func record(of key: KeyMetadata, alias: String, at time: Date) -> CloudTrailRecord {
        CloudTrailRecord(
            userIdentity: .awsService(invokedBy: identity.servicePrincipal), eventTime: time,
            eventSource: "kms.amazonaws.com", eventName: "CreateKey", awsRegion: region,
            sourceIPAddress: identity.servicePrincipal, userAgent: identity.servicePrincipal,
            requestID: UUID().uuidString.lowercased(), readOnly: false, recipientAccountID: identity.account,
            requestParameters: ["description": .string(key.description), "aliasName": .string(alias)],
            responseElements: ["keyMetadata": .object(key.trail)], resources: [.key(key.arn)])
    }
}
