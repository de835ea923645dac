import AWSProtocol
import Accounts
import FoundationEssentials
import Keys
import Policies
import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct GrantTests {
    private func retire(_ house: House, _ principal: Principal, _ grant: CreatedGrant, _ key: KeyReference, dryRun: Bool = false)
        async -> KeyError.Code?
    {
        await refusal {
            try await house.keys.retireGrant(
                house.call(principal, .retireGrant), .grant(id: grant.id, key: house.arn(key)), isDryRun: dryRun)
        }
    }

    private func revoke(_ house: House, _ principal: Principal, _ grant: CreatedGrant, _ key: KeyReference) async -> KeyError
        .Code?
    {
        await refusal {
            try await house.keys.revokeGrant(house.call(principal, .revokeGrant), key: key, grantID: grant.id, isDryRun: false)
        }
    }

    @Test func equalRequestsOfOneNameAreOneGrantWithManyTokens() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let user = try await house.user("u")
            let key = try await house.createKey()
            let first = try await house.grant(admin, key, to: user.arn, [.decrypt, .encrypt], subset: ["a": "b"], name: "job/1")
            let again = try await house.grant(admin, key, to: user.arn, [.encrypt, .decrypt], subset: ["a": "b"], name: "job/1")
            #expect(first.id == again.id && first.token != again.token)
            let wider = try await house.grant(admin, key, to: user.arn, [.decrypt, .encrypt], name: "job/1")
            let equals = try await house.grant(admin, key, to: user.arn, [.decrypt, .encrypt], equals: ["a": "b"], name: "job/1")
            let unnamed = try await house.grant(admin, key, to: user.arn, [.decrypt])
            let unnamedAgain = try await house.grant(admin, key, to: user.arn, [.decrypt])
            #expect(Set([first.id, wider.id, equals.id, unnamed.id, unnamedAgain.id]).count == 5)
        }
    }

    @Test func manyAtOnceWithOneNameMakeOneGrant() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let user = try await house.user("u")
            let key = try await house.createKey()
            let ids = try await withThrowingTaskGroup(of: String.self) { tasks in
                for _ in 0..<8 { tasks.addTask { try await house.grant(admin, key, to: user.arn, name: "job/1").id } }
                return try await tasks.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
        }
    }

    @Test func constraintsCompareKeysWithoutCaseAndValuesWithIt() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let user = try await house.user("u")
            let key = try await house.createKey()
            let subset = try await house.grant(admin, key, to: user.arn, [.encrypt], subset: ["Project": "Alpha"])
            let rows: [([String: String], Bool)] = [
                (["Project": "Alpha"], true), (["project": "Alpha"], true), (["Project": "Alpha", "more": "x"], true),
                (["Project": "alpha"], false), ([:], false), (["more": "x"], false),
            ]
            for (context, allowed) in rows {
                let code = await refusal { _ = try await house.encrypt(user, key, context: context) }
                #expect((code == nil) == allowed, "\(context)")
            }
            #expect(await revoke(house, admin, subset, key) == nil)
            _ = try await house.grant(admin, key, to: user.arn, [.encrypt], equals: ["Project": "Alpha"])
            let exact = await refusal { _ = try await house.encrypt(user, key, context: ["Project": "Alpha", "more": "x"]) }
            #expect(exact == .accessDenied)
            #expect(await refusal { _ = try await house.encrypt(user, key, context: ["Project": "Alpha"]) } == nil)
        }
    }

    @Test func aGrantAllowsItsOperationsToItsGranteeAlone() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let role = try await house.role("worker")
            let one = try await house.session(of: role, name: "job-a")
            let two = try await house.session(of: role, name: "job-b")
            let key = try await house.createKey()
            let blob = try await house.encrypt(admin, key)
            _ = try await house.grant(admin, key, to: one.arn, [.decrypt])
            #expect(try await house.decrypt(one, blob) == "secret")
            #expect(await refusal { _ = try await house.decrypt(two, blob) } == .accessDenied)
            #expect(await refusal { _ = try await house.encrypt(one, key) } == .accessDenied)
            _ = try await house.grant(admin, key, to: role.arn, [.decrypt])
            #expect(try await house.decrypt(two, blob) == "secret")
        }
    }

    @Test func nobodyInheritsAGrantByTakingAName() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let user = try await house.user("u")
            let key = try await house.createKey()
            let blob = try await house.encrypt(admin, key)
            _ = try await house.grant(admin, key, to: user.arn, [.decrypt])
            #expect(try await house.decrypt(user, blob) == "secret")
            try await house.accounts.deleteUser("u", account: customer, by: .commandLine)
            let heir = try await house.user("u")
            #expect(await refusal { _ = try await house.decrypt(heir, blob) } == .accessDenied)
            #expect(
                await refusal { _ = try await house.grant(admin, key, to: ARN.user(account: customer, name: "gone")) }
                    == .invalidArn)
        }
    }

    @Test func explicitDenyBeatsAGrant() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let user = try await house.user("u")
            try await house.accounts.putPolicy(
                "deny", document: #"{"Statement":{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"}}"#, of: .user("u"),
                account: customer, by: .commandLine)
            let key = try await house.createKey()
            let blob = try await house.encrypt(admin, key)
            let grant = try await house.grant(admin, key, to: user.arn, [.decrypt])
            #expect(await refusal { _ = try await house.decrypt(user, blob, tokens: [grant.token]) } == .accessDenied)
        }
    }

    @Test func acrossAccountsAGrantNeedsTheGranteesOwnPolicyToo() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let allowed = try await house.user("allowed", of: stranger, allows: ["kms:Decrypt"])
            let bare = try await house.user("bare", of: stranger)
            let key = try await house.createKey()
            let blob = try await house.encrypt(admin, key)
            for user in [allowed, bare] { _ = try await house.grant(admin, key, to: user.arn, [.decrypt]) }
            #expect(try await house.decrypt(allowed, blob) == "secret")
            #expect(await refusal { _ = try await house.decrypt(bare, blob) } == .accessDenied)
            // Both accounts have the event; the owner's copy says only which account it was.
            let owners = try await house.events(named: "Decrypt").first
            #expect(owners?["userIdentity"]?["type"] == "AWSAccount" && owners?["userIdentity"]?["arn"] == nil)
            let callers = try await house.events(of: stranger, named: "Decrypt").last
            #expect(callers?["sharedEventID"] == owners?["sharedEventID"] && owners?["sharedEventID"] != nil)
        }
    }

    @Test func tokensAreCheckedAndInterchangeable() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let user = try await house.user("u")
            let key = try await house.createKey()
            let blob = try await house.encrypt(admin, key)
            let grant = try await house.grant(admin, key, to: user.arn, [.decrypt], name: "n")
            let again = try await house.grant(admin, key, to: user.arn, [.decrypt], name: "n")
            #expect(try await house.decrypt(user, blob, tokens: [grant.token, again.token]) == "secret")
            #expect(await refusal { _ = try await house.decrypt(user, blob, tokens: ["AAAA"]) } == .invalidGrantToken)
            try await house.keys.retireGrant(house.call(admin, .retireGrant), .token(again.token), isDryRun: false)
            #expect(await refusal { _ = try await house.decrypt(user, blob, tokens: [grant.token]) } == .accessDenied)
        }
    }

    @Test func aGrantMadeThroughAGrantIsNoWiderThanItsParent() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let middle = try await house.user("middle")
            let last = try await house.user("last")
            let key = try await house.createKey()
            _ = try await house.grant(admin, key, to: middle.arn, [.createGrant, .decrypt], subset: ["a": "1"])
            let rows: [([GrantOperation], [String: String]?, [String: String]?, Bool)] = [
                ([.decrypt], ["a": "1"], nil, true), ([.decrypt], ["a": "1", "b": "2"], nil, true),
                ([.decrypt], nil, ["a": "1"], true), ([.createGrant, .decrypt], ["a": "1"], nil, true),
                ([.decrypt], nil, nil, false), ([.decrypt], ["a": "2"], nil, false), ([.decrypt], ["b": "2"], nil, false),
                ([.encrypt], ["a": "1"], nil, false), ([.decrypt, .encrypt], ["a": "1"], nil, false),
            ]
            for (operations, subset, equals, allowed) in rows {
                let code = await refusal {
                    _ = try await house.grant(middle, key, to: last.arn, operations, subset: subset, equals: equals)
                }
                #expect((code == nil) == allowed, "\(operations) \(subset ?? [:]) \(equals ?? [:])")
                if !allowed { #expect(code == .accessDenied) }
            }
            // By policy there is no such limit.
            #expect(await refusal { _ = try await house.grant(admin, key, to: last.arn, [.encrypt]) } == nil)
        }
    }

    @Test func theTableOfWhoMayRetireAndRevoke() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let creatorRole = try await house.role("creator", allows: ["kms:CreateGrant"])
            let creator = try await house.session(of: creatorRole, name: "one")
            let retiringRole = try await house.role("retirer", of: service.account)
            let retirer = try await house.session(of: retiringRole, name: "sweep")
            let grantee = try await house.user("grantee")
            let retiringGrantee = try await house.user("retiring-grantee")
            let iamRetirer = try await house.user("iam-retirer", allows: ["kms:RetireGrant"])
            let bystander = try await house.user("bystander")
            let revoker = try await house.user("revoker", allows: ["kms:RevokeGrant"])

            func fresh(to grantee: Principal, _ operations: [GrantOperation] = [.decrypt]) async throws -> CreatedGrant {
                try await house.grant(creator, key, to: grantee.arn, retiring: retiringRole.arn, operations)
            }
            let plain = try await fresh(to: grantee)
            // Refused: they may not, by no policy of theirs; a creator needs some policy that allows it.
            for principal in [grantee, bystander, revoker, creator] {
                #expect(await retire(house, principal, plain, key) == .accessDenied, "\(principal.arn)")
            }
            #expect(await retire(house, house.root(of: stranger), plain, key) == .accessDenied)
            for principal in [grantee, bystander, iamRetirer, creator] {
                #expect(await revoke(house, principal, plain, key) == .accessDenied, "\(principal.arn)")
            }
            // Allowed.
            #expect(await retire(house, retirer, plain, key, dryRun: true) == .dryRun)
            #expect(await retire(house, retirer, plain, key) == nil)
            #expect(await retire(house, retirer, plain, key) == .notFound)
            #expect(
                await retire(house, retiringGrantee, try await fresh(to: retiringGrantee, [.decrypt, .retireGrant]), key) == nil)
            #expect(await retire(house, iamRetirer, try await fresh(to: grantee), key) == nil)
            #expect(await retire(house, house.root(of: customer), try await fresh(to: grantee), key) == nil)
            #expect(await retire(house, admin, try await fresh(to: grantee), key) == nil)
            #expect(await revoke(house, revoker, try await fresh(to: grantee), key) == nil)

            // The creator's other sessions, once the key's policy allows it; the same statement helps nobody else.
            let policy = """
                {"Statement": [
                 {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::\(customer):root"}, "Action": "kms:*", "Resource": "*"},
                 {"Effect": "Allow", "Principal": {"AWS": ["\(creatorRole.arn)", "\(bystander.arn)"]},
                  "Action": "kms:RetireGrant", "Resource": "*"}]}
                """
            try await house.keys.putKeyPolicy(
                house.call(admin, .putKeyPolicy), key: key, name: "default", policy: policy, bypassesLockoutCheck: false)
            let last = try await fresh(to: grantee)
            #expect(await retire(house, bystander, last, key) == .accessDenied)
            #expect(await retire(house, try await house.session(of: creatorRole, name: "two"), last, key) == nil)

            // An explicit Deny stops even the retiring principal.
            try await house.accounts.putPolicy(
                "deny", document: #"{"Statement":{"Effect":"Deny","Action":"kms:RetireGrant","Resource":"*"}}"#,
                of: .role("retirer"),
                account: service.account, by: .commandLine)
            #expect(await retire(house, retirer, try await fresh(to: grantee), key) == .accessDenied)
        }
    }

    @Test func retiringAndRevokingWorkInEveryStateAndAreAnnounced() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let one = try await house.grant(admin, key, to: admin.arn)
            let two = try await house.grant(admin, key, to: admin.arn)
            _ = try await house.keys.scheduleKeyDeletion(house.call(admin, .scheduleKeyDeletion), key: key, windowDays: 7)
            #expect(await retire(house, admin, one, key) == nil)
            #expect(await revoke(house, admin, two, key) == nil)
            #expect(house.announcements.heard == [.deletionScheduled, .grantRetired, .grantRevoked])
        }
    }

    @Test func aDryRunMakesNothing() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            #expect(await refusal { _ = try await house.grant(admin, key, to: admin.arn, dryRun: true) } == .dryRun)
            let bystander = try await house.user("bystander")
            #expect(await refusal { _ = try await house.grant(bystander, key, to: admin.arn, dryRun: true) } == .accessDenied)
            let page = try await house.keys.listGrants(
                house.call(admin, .listGrants), key: key, grantID: nil, grantee: nil, limit: 10, marker: nil)
            #expect(page.items.isEmpty)
        }
    }

    @Test func aKeyHasABoundedNumberOfGrants() async throws {
        var limits = KeyService.Limits()
        limits.grantsPerKey = 3
        try await House.with(limits: limits) { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            var made: [CreatedGrant] = []
            for number in 0..<3 { made.append(try await house.grant(admin, key, to: admin.arn, name: "n\(number)")) }
            #expect(await refusal { _ = try await house.grant(admin, key, to: admin.arn) } == .limitExceeded)
            // One that exists is found all the same.
            #expect(try await house.grant(admin, key, to: admin.arn, name: "n0").id == made[0].id)
            #expect(await retire(house, admin, made[0], key) == nil)
            #expect(await refusal { _ = try await house.grant(admin, key, to: admin.arn) } == nil)
        }
    }

    @Test func grantsAreListedByKeyAndByRetiringPrincipal() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let sweeperRole = try await house.role("forecastle-sweeper", of: service.account, allows: ["kms:ListRetirableGrants"])
            let sweeper = try await house.session(of: sweeperRole)
            let key = try await house.createKey()
            for number in 0..<3 {
                _ = try await house.grant(
                    admin, key, to: admin.arn, retiring: sweeperRole.arn, subset: ["k": "v"], name: "job/\(number)")
            }
            _ = try await house.grant(admin, key, to: house.user("u").arn)
            let all = try await house.keys.listGrants(
                house.call(admin, .listGrants), key: key, grantID: nil, grantee: nil, limit: 10, marker: nil)
            #expect(all.items.count == 4)
            let one = try await house.keys.listGrants(
                house.call(admin, .listGrants), key: key, grantID: all.items[0].id, grantee: nil, limit: 10, marker: nil)
            #expect(one.items.map(\.id) == [all.items[0].id])

            var names: Set<String> = []
            var marker: String?
            repeat {
                let page = try await house.keys.listRetirableGrants(
                    house.call(sweeper, .listRetirableGrants), retiring: sweeperRole.arn.description, limit: 2, marker: marker)
                for grant in page.items {
                    names.insert(grant.name ?? "")
                    #expect(grant.keyARN == house.arn(key) && grant.constraints.subset == ["k": "v"])
                }
                marker = page.nextMarker
            } while marker != nil
            #expect(names == ["job/0", "job/1", "job/2"])
            // Nobody lists for a principal of another account.
            let foreign = await refusal {
                _ = try await house.keys.listRetirableGrants(
                    house.call(admin, .listRetirableGrants), retiring: sweeperRole.arn.description, limit: 2, marker: nil)
            }
            #expect(foreign == .accessDenied)
        }
    }

    @Test func noRecordHoldsATokenOrPlaintext() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let grant = try await house.grant(admin, key, to: admin.arn)
            let blob = try await house.encrypt(admin, key, "canary-4711")
            _ = try await house.decrypt(admin, blob, tokens: [grant.token])
            let text = try await house.events().map(\.serializedString).joined()
            for secret in [grant.token, "canary-4711", Base64.encode(blob), Base64.encode(Array("canary-4711".utf8))] {
                #expect(!text.contains(secret))
            }
        }
    }
}
