/// How many calls a second one account may make of one operation, or of several that share a quota.
///
/// Source: KMS developer guide, "Request quotas" (list of 2023), for the operations of KMS; CloudTrail API reference for
/// LookupEvents; IAM user guide for STS. IAM's own quotas are not published: the number is this project's.
package struct RequestQuota: Sendable, Hashable {
    /// Such as `kms:CreateGrant`. The number of names is that of this table: operations that nobody knows share one a service.
    package let name: String
    package let callsPerSecond: Double

    private init(_ name: String, _ callsPerSecond: Double) {
        self.name = name
        self.callsPerSecond = callsPerSecond
    }

    /// All calls of one user or role together, whatever they are.
    package static let principal = RequestQuota("principal", 10_000)
    /// Records of throttled calls in one account's trail; beyond it they are counted alone.
    package static let throttledRecords = RequestQuota("records of throttled calls", 1)

    /// - Parameter service: the signing name.
    package static func of(_ operation: String, service: String) -> RequestQuota {
        switch service {
        case "kms": kms[operation] ?? RequestQuota("kms:other", 100)
        case "sts": RequestQuota("sts", 600)
        case "iam": RequestQuota("iam", 100)
        case "cloudtrail": RequestQuota(operation == "LookupEvents" ? "cloudtrail:LookupEvents" : "cloudtrail:other", 2)
        default: RequestQuota("other", 100)
        }
    }

    private static let kms: [String: RequestQuota] = {
        var quotas: [String: RequestQuota] = [:]
        let symmetric = RequestQuota("kms:SymmetricCryptography", 10_000)
        for operation in [
            "Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateRandom", "ReEncrypt",
        ] {
            quotas[operation] = symmetric
        }
        let rates: [(Double, [String])] = [
            (2000, ["DescribeKey", "GetPublicKey", "ListResourceTags"]),
            (1000, ["GetKeyPolicy", "GetKeyRotationStatus"]),
            (500, ["ListAliases", "ListKeys"]),
            // ListKeyRotations and RotateKeyOnDemand are newer than the list; theirs are like those of their kind.
            (100, ["ListGrants", "ListKeyPolicies", "ListKeyRotations", "ListRetirableGrants"]),
            (50, ["CreateGrant"]),
            (30, ["RetireGrant", "RevokeGrant"]),
            (15, ["DeleteAlias", "EnableKeyRotation", "PutKeyPolicy", "ScheduleKeyDeletion"]),
            (10, ["TagResource"]),
            (
                5,
                [
                    "CancelKeyDeletion", "CreateAlias", "CreateKey", "DisableKey", "DisableKeyRotation", "EnableKey",
                    "RotateKeyOnDemand", "UntagResource", "UpdateAlias", "UpdateKeyDescription",
                ]
            ),
            (0.25, ["GetParametersForImport"]),
        ]
        for (rate, operations) in rates {
            for operation in operations { quotas[operation] = RequestQuota("kms:\(operation)", rate) }
        }
        return quotas
    }()
}
