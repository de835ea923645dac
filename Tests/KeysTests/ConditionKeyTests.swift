import AWSProtocol
import Accounts
import Keys
import Policies
import Postgres
import PostgresTesting
import Secrets
import Testing

/// Each condition key of KMS: one operation is allowed where the condition holds, and where it does not, it is refused.
@Suite(.enabled(if: TestDatabase.isAvailable)) struct ConditionKeyTests {
    private struct Row {
        let condition: String
        let good: (House, Principal, KeyReference) async throws -> Void
        let bad: (House, Principal, KeyReference) async throws -> Void

        /// Both call the same, and `condition` is one that does not hold for the second.
        init(
            _ condition: String, _ good: @escaping (House, Principal, KeyReference) async throws -> Void,
            not bad: @escaping (House, Principal, KeyReference) async throws -> Void
        ) {
            self.condition = condition
            self.good = good
            self.bad = bad
        }
    }

    /// Runs a row with an identity policy that allows everything under the condition.
    private func check(_ row: Row) async throws {
        try await House.with { house in
            let user = try await house.user("u")
            let key = try await house.createKey()
            try await house.keys.createAlias(house.call(house.admin, .createAlias), name: "alias/data/1", key: key)
            try await house.accounts.putPolicy(
                "p",
                document:
                    #"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{\#(row.condition)}}}"#,
                of: .user("u"), account: customer, by: .commandLine)
            let allowed = await refusal { try await row.good(house, user, key) }
            #expect(allowed == nil, "\(row.condition)")
            let refused = await refusal { try await row.bad(house, user, key) }
            #expect(refused == .accessDenied, "\(row.condition)")
        }
    }

    private static func encrypt(_ context: [String: String]) -> (House, Principal, KeyReference) async throws -> Void {
        { house, user, key in _ = try await house.encrypt(user, key, context: context) }
    }

    @Sendable private static func describe(_ house: House, _ user: Principal, _ key: KeyReference) async throws {
        _ = try await house.keys.describeKey(house.call(user, .describeKey), key: key, grantTokens: [])
    }

    private static func grant(
        _ operations: [GrantOperation] = [.decrypt], retiring: Bool = false, subset: [String: String]? = nil,
        equals: [String: String]? = nil
    ) -> (House, Principal, KeyReference) async throws -> Void {
        { house, user, key in
            let admin = try await house.admin
            _ = try await house.grant(
                user, key, to: user.arn, retiring: retiring ? admin.arn : nil, operations, subset: subset, equals: equals)
        }
    }

    @Test func encryptionContext() async throws {
        try await check(
            Row(
                #""StringEquals":{"kms:EncryptionContext:Dept":"IT"}"#, Self.encrypt(["dept": "IT"]),
                not: Self.encrypt(["dept": "HR"])))
        try await check(
            Row(
                #""ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["a","b"]},"Null":{"kms:EncryptionContextKeys":"false"}"#,
                Self.encrypt(["a": "1"]), not: Self.encrypt(["a": "1", "c": "1"])))
        try await check(
            Row(#""StringEquals":{"kms:EncryptionContext:a":"1"}"#, Self.grant(subset: ["a": "1"]), not: Self.grant()))
    }

    @Test func grants() async throws {
        try await check(
            Row(
                #""ForAllValues:StringEquals":{"kms:GrantOperations":["Decrypt","RetireGrant"]}"#, Self.grant([.decrypt]),
                not: Self.grant([.decrypt, .encrypt])))
        try await check(
            Row(
                #""StringEquals":{"kms:GrantConstraintType":"EncryptionContextSubset"}"#, Self.grant(subset: ["a": "1"]),
                not: Self.grant(equals: ["a": "1"])))
        try await check(
            Row(
                #""StringEquals":{"kms:GrantConstraintType":"EncryptionContextEquals"}"#, Self.grant(equals: ["a": "1"]),
                not: Self.grant()))
        try await check(
            Row(
                #""StringLike":{"kms:GranteePrincipal":"arn:aws:iam::123456789012:user/u"}"#, Self.grant(),
                not: { house, user, key in _ = try await house.grant(user, key, to: house.admin.arn) }))
        try await check(
            Row(
                #""StringLike":{"kms:RetiringPrincipal":"arn:aws:iam::123456789012:user/admin"}"#, Self.grant(retiring: true),
                not: Self.grant()))
        try await check(
            Row(
                #""Bool":{"kms:GrantIsForAWSResource":"false"}"#, Self.grant(),
                not: { house, _, key in
                    let role = try await house.role("r")
                    try await house.accounts.putPolicy(
                        "p",
                        document:
                            #"{"Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"Bool":{"kms:GrantIsForAWSResource":"false"}}}}"#,
                        of: .role("r"), account: customer, by: .commandLine)
                    let session = try await house.session(of: role, record: .forPredictor)
                    _ = try await house.grant(session, key, to: session.arn)
                }))
    }

    @Test func serviceGrants() async throws {
        let forService = { (resource: String) in
            { (house: House, user: Principal, key: KeyReference) async throws in
                _ = try await house.serviceGrant(user, key, for: "arn:aws:forecast:us-west-2:123456789012:\(resource)")
            }
        }
        for condition in [
            #""StringEquals":{"kms:GranteeServicePrincipal":"forecast.amazonaws.com"}"#,
            #""StringEquals":{"kms:RetiringServicePrincipal":"forecast.amazonaws.com"}"#,
            #""StringEquals":{"kms:GrantConstraintType":"SourceArn"}"#,
        ] { try await check(Row(condition, forService("predictor/p"), not: Self.grant(retiring: true))) }
        try await check(
            Row(
                #""ArnLike":{"kms:GrantConstraintSourceArn":"arn:aws:forecast:*:*:predictor/*"}"#, forService("predictor/p"),
                not: forService("dataset/d")))
    }

    @Test func aliases() async throws {
        try await check(
            Row(
                #""StringLike":{"kms:RequestAlias":"alias/data/*"}"#,
                { house, user, _ in try await Self.describe(house, user, .aliasName("alias/data/1")) }, not: Self.describe))
        // Of Decrypt it is the alias in the request, not one of the key in the blob.
        try await check(
            Row(
                #""StringEquals":{"kms:RequestAlias":"alias/data/1"}"#,
                { house, user, key in
                    let blob = try await house.encrypt(house.admin, key)
                    _ = try await house.decrypt(user, blob, key: .aliasName("alias/data/1"))
                },
                not: { house, user, key in
                    let blob = try await house.encrypt(house.admin, key)
                    _ = try await house.decrypt(user, blob, key: key)
                }))
        try await check(
            Row(
                #""ForAnyValue:StringLike":{"kms:ResourceAliases":"alias/data/*"}"#, Self.describe,
                not: { house, user, _ in try await Self.describe(house, user, house.createKey()) }))
    }

    @Test func theKeyItself() async throws {
        let every =
            #""StringEquals":{"kms:KeySpec":"SYMMETRIC_DEFAULT","kms:KeyUsage":"ENCRYPT_DECRYPT","kms:KeyOrigin":"AWS_KMS","kms:CustomerMasterKeySpec":"SYMMETRIC_DEFAULT","kms:CustomerMasterKeyUsage":"ENCRYPT_DECRYPT"},"Bool":{"kms:MultiRegion":"false"},"Null":{"kms:MultiRegionKeyType":"true"}"#
        try await check(
            Row(
                every, Self.describe,
                not: { house, user, _ in _ = try await house.keys.listKeys(house.call(user, .listKeys), limit: 1, marker: nil) }))
        try await check(
            Row(
                #""StringEquals":{"kms:EncryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#, Self.encrypt([:]), not: Self.describe))
        try await check(
            Row(
                #""StringEquals":{"kms:CallerAccount":"123456789012"},"Null":{"kms:ViaService":"true"}"#, Self.describe,
                not: { house, _, key in
                    let role = try await house.role("r")
                    try await house.accounts.putPolicy(
                        "p",
                        document:
                            #"{"Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"Null":{"kms:ViaService":"true"}}}}"#,
                        of: .role("r"), account: customer, by: .commandLine)
                    try await Self.describe(house, house.session(of: role, record: .forPredictor), key)
                }))
    }

    @Test func changes() async throws {
        let schedule = { (days: Int) in
            { (house: House, user: Principal, key: KeyReference) async throws in
                _ = try await house.keys.scheduleKeyDeletion(house.call(user, .scheduleKeyDeletion), key: key, windowDays: days)
            }
        }
        try await check(
            Row(
                #""NumericGreaterThanEquals":{"kms:ScheduleKeyDeletionPendingWindowInDays":"14"}"#, schedule(14),
                not: schedule(13)))
        let rotate = { (days: Int) in
            { (house: House, user: Principal, key: KeyReference) async throws in
                try await house.keys.enableKeyRotation(house.call(user, .enableKeyRotation), key: key, periodDays: days)
            }
        }
        try await check(
            Row(#""NumericLessThanEquals":{"kms:RotationPeriodInDays":"365"}"#, rotate(365), not: rotate(366)))
        let put = { (bypass: Bool) in
            { (house: House, user: Principal, key: KeyReference) async throws in
                let policy = KeyCreation.defaultPolicy(account: customer)
                try await house.keys.putKeyPolicy(
                    house.call(user, .putKeyPolicy), key: key, name: "default", policy: policy, bypassesLockoutCheck: bypass)
            }
        }
        let create = { (bypass: Bool, tags: [KeyTag]) in
            { (house: House, user: Principal, _: KeyReference) async throws in
                _ = try await house.keys.createKey(
                    house.call(user, .createKey), KeyCreation(tags: tags, bypassesLockoutCheck: bypass))
            }
        }
        // Bypassed, because the check itself asks for the right without the condition's key.
        let bypass = #""Bool":{"kms:BypassPolicyLockoutSafetyCheck":"true"}"#
        try await check(Row(bypass, put(true), not: put(false)))
        try await check(Row(bypass, create(true, []), not: create(false, [])))
        let tags = [try KeyTag(key: "Project", value: "alpha")]
        let other = [try KeyTag(key: "Project", value: "beta")]
        try await check(
            Row(#""StringEquals":{"aws:RequestTag/Project":"alpha"}"#, create(false, tags), not: create(false, other)))
    }

    @Test func tags() async throws {
        let tag = { (name: String, value: String) in
            { (house: House, user: Principal, key: KeyReference) async throws in
                try await house.keys.tagResource(
                    house.call(user, .tagResource), key: key, tags: [KeyTag(key: name, value: value)])
            }
        }
        let untag = { (name: String) in
            { (house: House, user: Principal, key: KeyReference) async throws in
                try await house.keys.untagResource(house.call(user, .untagResource), key: key, keys: [name])
            }
        }
        try await check(
            Row(#""StringEquals":{"aws:RequestTag/Project":"alpha"}"#, tag("Project", "alpha"), not: tag("Project", "b")))
        let keys = #""ForAllValues:StringEquals":{"aws:TagKeys":["Project"]},"Null":{"aws:TagKeys":"false"}"#
        try await check(Row(keys, tag("Project", "x"), not: tag("Other", "x")))
        try await check(Row(keys, untag("Project"), not: untag("Other")))
        try await check(
            Row(
                #""StringEquals":{"aws:ResourceTag/Project":"alpha"}"#,
                { house, user, key in
                    try await tag("Project", "alpha")(house, house.admin, key)
                    try await Self.describe(house, user, key)
                },
                not: { house, user, _ in try await Self.describe(house, user, house.createKey()) }))
    }

    @Test func reEncryption() async throws {
        let run = { (other: Bool, from: [String: String], into: [String: String]) in
            { (house: House, user: Principal, key: KeyReference) async throws in
                let blob = try await house.encrypt(house.admin, key, context: from)
                _ = try await house.reEncrypt(user, blob, to: other ? house.createKey() : key, from: from, into: into)
            }
        }
        try await check(Row(#""Bool":{"kms:ReEncryptOnSameKey":"true"}"#, run(false, [:], [:]), not: run(true, [:], [:])))
        // Each side sees its own context.
        let both = #""StringEquals":{"kms:EncryptionContext:a":"1"}"#
        try await check(Row(both, run(false, ["a": "1"], ["a": "1"]), not: run(false, ["a": "1"], ["b": "1"])))
        try await check(Row(both, run(false, ["a": "1"], ["a": "1"]), not: run(false, ["b": "1"], ["a": "1"])))
    }

    @Test func theSourceOfASessionIsOnRecordAndNobodyElses() async throws {
        try await House.with { house in
            let role = try await house.role("r")
            try await house.accounts.putPolicy(
                "p",
                document:
                    #"{"Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"ArnEquals":{"aws:SourceArn":"\#(SessionRecord.forPredictor.sourceARN)"},"StringEquals":{"aws:SourceAccount":"\#(customer)","kms:ViaService":"\#(service.viaService)"}}}}"#,
                of: .role("r"), account: customer, by: .commandLine)
            let key = try await house.createKey()
            try await Self.describe(house, house.session(of: role, record: .forPredictor), key)
            let direct = try await house.session(of: role, name: "direct")
            #expect(await refusal { try await Self.describe(house, direct, key) } == .accessDenied)
        }
    }
}

extension SessionRecord {
    static let forPredictor = SessionRecord.of("arn:aws:forecast:us-west-2:\(customer):predictor/p")

    static func of(_ source: String, callerAccount: String = customer) -> SessionRecord {
        SessionRecord(
            sourceARN: source, sourceAccount: customer, viaService: service.viaService, callerAccount: callerAccount,
            grantIsForAWSResource: true, sourceIPAddress: nil, userAgent: nil)
    }
}
