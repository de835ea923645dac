import AWSProtocol
import Keys

extension KMSService {
    func answerKeys(_ call: KeyCall, _ input: KMSInput) async throws -> AWSReply {
        switch call.operation {
        case .createKey:
            let key = try await keys.createKey(call, try input.creation())
            return .json(["KeyMetadata": .object(key.json)])
        case .describeKey:
            let key = try await keys.describeKey(call, key: try input.key(), grantTokens: try input.grantTokens())
            return .json(["KeyMetadata": .object(key.json)])
        case .listKeys:
            let page = try await keys.listKeys(
                call, includesOwn: try input.includesOwnKeys(), limit: try input.limit(default: 100, maximum: 1000),
                marker: try input.marker())
            return .json(
                page.json("Keys") { ["KeyId": .string($0.resourceName), "KeyArn": .string($0.description)] })
        case .enableKey:
            try await keys.enableKey(call, key: try input.key())
            return .empty
        case .disableKey:
            try await keys.disableKey(call, key: try input.key())
            return .empty
        case .scheduleKeyDeletion:
            let days = try input.body.optionalInt("PendingWindowInDays", range: 1...365) ?? KeyService.defaultDeletionWindowDays
            let scheduled = try await keys.scheduleKeyDeletion(call, key: try input.key(), windowDays: days)
            return .json([
                "KeyId": .string(scheduled.key.description), "DeletionDate": AWSTimestamp.epoch(scheduled.at),
                "KeyState": .string(KeyState.pendingDeletion.rawValue), "PendingWindowInDays": .int(Int64(scheduled.windowDays)),
            ])
        case .updateKeyDescription:
            try await keys.updateKeyDescription(call, key: try input.key(), description: try input.description())
            return .empty
        default:
            let key = try await keys.cancelKeyDeletion(call, key: try input.key())
            return .json(["KeyId": .string(key.description)])
        }
    }

    func answerPoliciesAndAliases(_ call: KeyCall, _ input: KMSInput) async throws -> AWSReply {
        switch call.operation {
        case .getKeyPolicy:
            let name = try input.policyName()
            let policy = try await keys.keyPolicy(call, key: try input.key(), name: name)
            return .json(["Policy": .string(policy), "PolicyName": .string(name)])
        case .putKeyPolicy:
            guard let policy = try input.policy() else {
                throw AWSError.validation(field: "Policy", rule: "Member must not be null")
            }
            try await keys.putKeyPolicy(
                call, key: try input.key(), name: try input.policyName(), policy: policy,
                bypassesLockoutCheck: try input.isSet("BypassPolicyLockoutSafetyCheck"))
            return .empty
        case .listKeyPolicies:
            _ = try input.limit(default: 100, maximum: 1000)
            let names = try await keys.listKeyPolicies(call, key: try input.key(), marker: try input.marker())
            return .json(["PolicyNames": .strings(names), "Truncated": false])
        case .createAlias:
            try await keys.createAlias(call, name: try input.aliasName(), key: try input.key("TargetKeyId"))
            return .empty
        case .updateAlias:
            try await keys.updateAlias(call, name: try input.aliasName(), key: try input.key("TargetKeyId"))
            return .empty
        case .deleteAlias:
            try await keys.deleteAlias(call, name: try input.aliasName())
            return .empty
        default:
            let page = try await keys.listAliases(
                call, key: try input.optionalKey(), limit: try input.limit(default: 50, maximum: 100),
                marker: try input.marker())
            return .json(
                page.json("Aliases") { alias in
                    [
                        "AliasName": .string(alias.name), "AliasArn": .string(alias.arn.description),
                        "TargetKeyId": .string(alias.targetKeyID), "CreationDate": AWSTimestamp.epoch(alias.createdAt),
                        "LastUpdatedDate": AWSTimestamp.epoch(alias.updatedAt),
                    ]
                })
        }
    }
}
