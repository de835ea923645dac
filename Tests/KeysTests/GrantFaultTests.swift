import AWSProtocol
import Accounts
import FoundationEssentials
import Keys
import Postgres
import PostgresTesting
import Testing

/// Misuse of grants, one kind a test. Whatever it is, it is refused on the one path, and the trail has it.
@Suite(.enabled(if: TestDatabase.isAvailable)) struct GrantFaultTests {
    private let context = [
        "forecastle:account": customer, "forecastle:resource": "arn:aws:forecast:us-west-2:\(customer):dataset/d",
    ]

    private struct Scene: Sendable {
        let house: House
        let key: KeyReference
        let blob: [UInt8]
        let jobA: Principal
        let jobB: Principal
        let sweeper: Principal
        let grant: CreatedGrant

        @Sendable func retire() async throws {
            try await house.keys.retireGrant(
                house.call(sweeper, .retireGrant), .grant(id: grant.id, key: house.arn(key)), isDryRun: false)
        }
    }

    /// A grant of job A as the service makes it, with the data key that it may open.
    private func scene(_ body: (Scene) async throws -> Void) async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let worker = try await house.role(
                "forecastle-worker", of: service.account, allows: ["kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant"])
            let sweeperRole = try await house.role(
                "forecastle-sweeper", of: service.account, allows: ["kms:RetireGrant", "kms:Decrypt"])
            let (jobA, jobB) = (
                try await house.session(of: worker, name: "job-a"), try await house.session(of: worker, name: "job-b")
            )
            let grant = try await house.grant(
                admin, key, to: jobA.arn, retiring: sweeperRole.arn, [.decrypt], subset: context, name: "job/a/d")
            let blob = try await house.encrypt(admin, key, context: context)
            #expect(try await house.decrypt(jobA, blob, context: context) == "secret")
            try await body(
                Scene(
                    house: house, key: key, blob: blob, jobA: jobA, jobB: jobB,
                    sweeper: house.session(of: sweeperRole, name: "sweep"), grant: grant))
        }
    }

    /// Refused with the code, and the newest record of the operation says so; for the account that it was delivered to.
    private func expect(
        _ code: KeyError.Code, _ event: String, in house: House, of account: String = customer, _ body: () async throws -> Void
    ) async throws {
        let before = try await house.events(of: account, named: event).count
        #expect(await refusal(body) == code, "\(event)")
        let records = try await house.events(of: account, named: event)
        #expect(records.count == before + 1, "\(event)")
        let errors = records.compactMap { $0["errorCode"]?.stringValue }
        #expect(errors.contains(code == .accessDenied ? "AccessDenied" : code.wireName), "\(event)")
    }

    @Test func aGrantOfOneJobIsNoGoodUnderAnothersSession() async throws {
        try await scene { scene in
            try await expect(.accessDenied, "Decrypt", in: scene.house) {
                _ = try await scene.house.decrypt(scene.jobB, scene.blob, context: context)
            }
            try await expect(.accessDenied, "Decrypt", in: scene.house) {
                _ = try await scene.house.decrypt(scene.jobB, scene.blob, context: context, tokens: [scene.grant.token])
            }
        }
    }

    @Test func anotherContextIsNotTheGrants() async throws {
        try await scene { scene in
            var other = context
            other["forecastle:resource"]? += "2"
            for wrong in [other, [:], ["forecastle:account": customer]] {
                try await expect(.accessDenied, "Decrypt", in: scene.house) {
                    _ = try await scene.house.decrypt(scene.jobA, scene.blob, context: wrong)
                }
            }
            // One with more pairs satisfies the constraint and is not what the blob was sealed with.
            try await expect(.invalidCiphertext, "Decrypt", in: scene.house) {
                _ = try await scene.house.decrypt(
                    scene.jobA, scene.blob, context: context.merging(["more": "x"]) { first, _ in first })
            }
        }
    }

    @Test func aRetiredGrantIsGoneAndCannotBeRetiredAgain() async throws {
        try await scene { scene in
            let retire = scene.retire
            try await retire()
            try await expect(.accessDenied, "Decrypt", in: scene.house) {
                _ = try await scene.house.decrypt(scene.jobA, scene.blob, context: context)
            }
            try await expect(.accessDenied, "Decrypt", in: scene.house) {
                _ = try await scene.house.decrypt(scene.jobA, scene.blob, context: context, tokens: [scene.grant.token])
            }
            #expect(await refusal(retire) == .notFound)
        }
    }

    @Test func aTokenOneBitOffIsRefused() async throws {
        try await scene { scene in
            let bytes = Base64.decode(scene.grant.token) ?? []
            for index in [0, 1, 32, 33, 48, 49, bytes.count - 1] {
                var altered = bytes
                altered[index] ^= 1
                // Before any key is looked for, so no owner hears of it but the caller's account.
                try await expect(.invalidGrantToken, "Decrypt", in: scene.house, of: service.account) {
                    _ = try await scene.house.decrypt(scene.jobA, scene.blob, context: context, tokens: [Base64.encode(altered)])
                }
                let retired = await refusal {
                    try await scene.house.keys.retireGrant(
                        scene.house.call(scene.sweeper, .retireGrant), .token(Base64.encode(altered)), isDryRun: false)
                }
                #expect(retired == .invalidGrantToken)
            }
            for other in ["", "x", scene.grant.token + "AAAA", String(scene.grant.token.dropLast(4))] {
                #expect(
                    await refusal {
                        _ = try await scene.house.decrypt(scene.jobA, scene.blob, context: context, tokens: [other])
                    } == .invalidGrantToken)
            }
        }
    }

    @Test func granteeAndRetirerAreNotEachOther() async throws {
        try await scene { scene in
            try await expect(.accessDenied, "Decrypt", in: scene.house) {
                _ = try await scene.house.decrypt(scene.sweeper, scene.blob, context: context)
            }
            try await expect(.accessDenied, "RetireGrant", in: scene.house) {
                try await scene.house.keys.retireGrant(
                    scene.house.call(scene.jobA, .retireGrant),
                    .grant(id: scene.grant.id, key: scene.house.arn(scene.key)), isDryRun: false)
            }
            #expect(try await scene.house.decrypt(scene.jobA, scene.blob, context: context) == "secret")
        }
    }

    @Test func whatTheGrantDoesNotListIsNotAllowed() async throws {
        try await scene { scene in
            try await expect(.accessDenied, "GenerateDataKey", in: scene.house) {
                _ = try await scene.house.keys.generateDataKey(
                    scene.house.call(scene.jobA, .generateDataKey), key: scene.key, bytes: 32,
                    use: KeyUse(encryptionContext: context))
            }
            try await expect(.accessDenied, "CreateGrant", in: scene.house) {
                _ = try await scene.house.grant(scene.jobA, scene.key, to: scene.jobB.arn, [.decrypt], subset: context)
            }
        }
    }

    @Test func aChildWiderThanItsParentIsNotMade() async throws {
        try await scene { scene in
            let house = scene.house
            let middle = try await house.user("middle")
            _ = try await house.grant(house.admin, scene.key, to: middle.arn, [.createGrant, .decrypt], subset: context)
            let account = ["forecastle:account": customer]
            let rows: [([GrantOperation], [String: String]?)] = [
                ([.decrypt], nil), ([.decrypt], account), ([.encrypt], context), ([.decrypt, .generateDataKey], context),
            ]
            for (operations, subset) in rows {
                try await expect(.accessDenied, "CreateGrant", in: house) {
                    _ = try await house.grant(middle, scene.key, to: scene.jobB.arn, operations, subset: subset)
                }
            }
            _ = try await house.grant(middle, scene.key, to: scene.jobB.arn, [.decrypt], subset: context)
            #expect(try await house.decrypt(scene.jobB, scene.blob, context: context) == "secret")
        }
    }

    @Test func theGrantAfterTheFiftyThousandthIsRefused() async throws {
        try await scene { scene in
            let house = scene.house
            let limit = KeyService.Limits().grantsPerKey
            #expect(limit == 50_000)
            // As CreateGrant would have made them, only sooner.
            try await house.pool.execute(
                """
                INSERT INTO key_grants (grant_id, key_id, grantee, issuing_account, creator, creator_id, operations, fingerprint)
                SELECT lpad(to_hex(n), 64, '0'), \(house.arn(scene.key).resourceName), 'arn:aws:iam::' || \(customer) || ':root',
                       \(customer), 'arn', 'id', '{Encrypt}', decode(repeat('00', 32), 'hex')
                FROM generate_series(1, \(limit - 2)) AS n
                """)
            let admin = try await house.admin
            let last = try await house.grant(admin, scene.key, to: scene.jobB.arn)
            try await expect(.limitExceeded, "CreateGrant", in: house) {
                _ = try await house.grant(admin, scene.key, to: scene.jobB.arn)
            }
            // The same request by its Name is no further grant.
            let same = try await house.grant(
                admin, scene.key, to: scene.jobA.arn, retiring: scene.sweeper.identityARN, [.decrypt], subset: context,
                name: "job/a/d")
            #expect(same.id == scene.grant.id)
            try await house.keys.revokeGrant(house.call(admin, .revokeGrant), key: scene.key, grantID: last.id, isDryRun: false)
            _ = try await house.grant(admin, scene.key, to: scene.jobB.arn)
        }
    }

    /// Who tries cannot tell one reason from another: one code, one text, on the one path through the decision.
    @Test func theRefusalsReadAlike() async throws {
        try await scene { scene in
            let house = scene.house
            var messages: Set<String> = []
            let attempts: [(Principal, [String: String])] = [(scene.jobB, context), (scene.jobB, [:])]
            for (principal, context) in attempts {
                do {
                    _ = try await house.decrypt(principal, scene.blob, context: context)
                } catch let error as KeyError { messages.insert(error.message) }
            }
            _ = try await house.grant(house.admin, scene.key, to: scene.jobB.arn, [.generateDataKey], subset: context)
            do {
                _ = try await house.decrypt(scene.jobB, scene.blob, context: context)
            } catch let error as KeyError { messages.insert(error.message) }
            #expect(messages.count == 1)
        }
    }
}
