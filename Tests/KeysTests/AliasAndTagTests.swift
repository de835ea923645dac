import AWSProtocol
import Accounts
import Keys
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct AliasAndTagTests {
    private func update(_ house: House, _ principal: Principal, _ name: String, to key: KeyReference) async -> KeyError.Code? {
        await refusal { try await house.keys.updateAlias(house.call(principal, .updateAlias), name: name, key: key) }
    }

    private func delete(_ house: House, _ principal: Principal, _ name: String) async -> KeyError.Code? {
        await refusal { try await house.keys.deleteAlias(house.call(principal, .deleteAlias), name: name) }
    }

    private func create(_ house: House, _ name: String, for key: KeyReference) async throws {
        try await house.keys.createAlias(house.call(house.admin, .createAlias), name: name, key: key)
    }

    private func target(_ house: House, _ name: String) async throws -> String? {
        try await house.keys.listAliases(house.call(house.admin, .listAliases), key: nil, limit: 100, marker: nil)
            .items.first { $0.name == name }?.targetKeyID
    }

    @Test func anAliasMovesToAnotherKeyAndGoes() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let (one, two) = (try await house.createKey(), try await house.createKey())
            try await create(house, "alias/a", for: one)
            let blob = try await house.encrypt(admin, .aliasName("alias/a"))
            #expect(await update(house, admin, "alias/a", to: two) == nil)
            #expect(await update(house, admin, "alias/a", to: two) == nil)
            #expect(try await target(house, "alias/a") == house.arn(two).resourceName)
            // The blob names its key, not the alias.
            #expect(try await house.decrypt(admin, blob) == "secret")
            #expect(await refusal { _ = try await house.decrypt(admin, blob, key: .aliasName("alias/a")) } == .incorrectKey)
            #expect(await delete(house, admin, "alias/a") == nil)
            #expect(try await target(house, "alias/a") == nil)
            for name in ["alias/a", "alias/aws/s3", "nothing"] {
                #expect(await delete(house, admin, name) == .notFound)
                #expect(await update(house, admin, name, to: two) == .notFound)
            }
            let event = try await house.events(named: "UpdateAlias").last
            let named = event?["resources"]?.arrayValue?.compactMap { $0["ARN"]?.stringValue }
            #expect(named == [one, two].map { house.arn($0).description } + ["arn:aws:kms:us-west-2:\(customer):alias/a"])
        }
    }

    @Test func aliasAndEveryKeyConcernedMustAllow() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let open = try await house.createKey()
            let closed = try await house.createKey(
                policy: #"{"Statement":{"Effect":"Allow","Principal":{"AWS":"\#(admin.arn)"},"Action":"kms:*","Resource":"*"}}"#)
            try await create(house, "alias/open", for: open)
            try await create(house, "alias/closed", for: closed)
            let user = try await house.user("u", allows: ["kms:UpdateAlias", "kms:DeleteAlias", "kms:CreateAlias"])
            let keysAlone = try await house.user("k")
            try await house.accounts.putPolicy(
                "p",
                document:
                    #"{"Statement":{"Effect":"Allow","Action":["kms:*Alias"],"Resource":"arn:aws:kms:*:*:key/*"}}"#,
                of: .user("k"), account: customer, by: .commandLine)
            #expect(await update(house, user, "alias/open", to: closed) == .accessDenied)
            #expect(await update(house, user, "alias/closed", to: open) == .accessDenied)
            #expect(await delete(house, user, "alias/closed") == .accessDenied)
            #expect(await update(house, keysAlone, "alias/open", to: open) == .accessDenied)
            #expect(await delete(house, keysAlone, "alias/open") == .accessDenied)
            #expect(await update(house, user, "alias/open", to: open) == nil)
            #expect(await delete(house, user, "alias/open") == nil)
            // A name of another account means nothing there.
            #expect(await delete(house, try await house.existingUser("admin", of: stranger), "alias/closed") == .notFound)
        }
    }

    @Test func ofUpdateAliasOnlyTheNewTargetsStateMatters() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let (one, two) = (try await house.createKey(), try await house.createKey())
            try await create(house, "alias/a", for: one)
            try await create(house, "alias/b", for: two)
            _ = try await house.keys.scheduleKeyDeletion(house.call(admin, .scheduleKeyDeletion), key: one, windowDays: 7)
            #expect(await update(house, admin, "alias/b", to: one) == .invalidState)
            #expect(await update(house, admin, "alias/a", to: two) == nil)
            try await house.keys.disableKey(house.call(admin, .disableKey), key: two)
            #expect(await update(house, admin, "alias/a", to: two) == nil)
            #expect(await delete(house, admin, "alias/a") == nil)
            for wrong in [KeyReference.aliasName("alias/b"), .keyID("none")] {
                #expect(await update(house, admin, "alias/b", to: wrong) == .notFound)
            }
        }
    }

    @Test func aKeyHasABoundedNumberOfAliasesHoweverTheyCome() async throws {
        var limits = KeyService.Limits()
        limits.aliasesPerKey = 2
        try await House.with(limits: limits) { house in
            let admin = try await house.admin
            let (one, two) = (try await house.createKey(), try await house.createKey())
            for name in ["alias/a", "alias/b"] { try await create(house, name, for: one) }
            try await create(house, "alias/c", for: two)
            #expect(await refusal { try await create(house, "alias/d", for: one) } == .limitExceeded)
            #expect(await update(house, admin, "alias/c", to: one) == .limitExceeded)
            #expect(await update(house, admin, "alias/a", to: one) == nil)
            #expect(await refusal { try await create(house, "alias/a", for: two) } == .alreadyExists)
        }
    }

    @Test func opposedChangesAtOnceBothEnd() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let (one, two) = (try await house.createKey(), try await house.createKey())
            try await create(house, "alias/a", for: one)
            try await create(house, "alias/b", for: two)
            let codes = try await withThrowingTaskGroup(of: KeyError.Code?.self) { tasks in
                for number in 0..<8 {
                    tasks.addTask {
                        await update(house, admin, number % 2 == 0 ? "alias/a" : "alias/b", to: number % 2 == 0 ? two : one)
                    }
                }
                return try await tasks.reduce(into: [KeyError.Code?]()) { $0.append($1) }
            }
            #expect(codes.allSatisfy { $0 == nil })
            #expect(try await target(house, "alias/a") == house.arn(two).resourceName)
            #expect(try await target(house, "alias/b") == house.arn(one).resourceName)
        }
    }

    private func tags(_ house: House, _ key: KeyReference) async throws -> [String] {
        try await house.keys.listResourceTags(house.call(house.admin, .listResourceTags), key: key, limit: 50, marker: nil)
            .items.map { "\($0.key)=\($0.value)" }
    }

    private func tag(_ house: House, _ key: KeyReference, _ tags: [String: String]) async throws {
        try await house.keys.tagResource(
            house.call(house.admin, .tagResource), key: key, tags: tags.map { try KeyTag(key: $0.key, value: $0.value) })
    }

    @Test func tagsAreAddedChangedAndRemoved() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            #expect(try await tags(house, key) == [])
            try await tag(house, key, ["a": "1", "b": ""])
            try await tag(house, key, ["a": "2", "A": "3"])
            #expect(try await tags(house, key) == ["A=3", "a=2", "b="])
            try await house.keys.untagResource(house.call(admin, .untagResource), key: key, keys: ["a", "absent"])
            #expect(try await tags(house, key) == ["A=3", "b="])
            for code in [
                await refusal { try await tag(house, key, ["aws:x": "1"]) },
                await refusal { try await tag(house, key, ["AWS:x": "1"]) },
                await refusal {
                    try await house.keys.untagResource(house.call(admin, .untagResource), key: key, keys: ["aws:x"])
                },
                await refusal {
                    let twice = [try KeyTag(key: "x", value: "1"), try KeyTag(key: "x", value: "2")]
                    try await house.keys.tagResource(house.call(admin, .tagResource), key: key, tags: twice)
                },
            ] { #expect(code == .tag) }
        }
    }

    @Test func aKeyHasAtMostFiftyTags() async throws {
        try await House.with { house in
            let key = try await house.createKey()
            let many = { (range: Range<Int>) in Dictionary(uniqueKeysWithValues: range.map { ("k\($0)", "v") }) }
            try await tag(house, key, many(0..<49))
            try await tag(house, key, many(49..<50))
            #expect(await refusal { try await tag(house, key, many(50..<51)) } == .limitExceeded)
            try await tag(house, key, many(0..<50))
            #expect(throws: KeyError.self) {
                try KeyCreation(tags: (0...50).map { try KeyTag(key: "k\($0)", value: "") })
            }
            var found: [KeyTag] = []
            var marker: String?
            repeat {
                let page = try await house.keys.listResourceTags(
                    house.call(house.admin, .listResourceTags), key: key, limit: 20, marker: marker)
                found += page.items
                marker = page.nextMarker
            } while marker != nil
            #expect(found.count == 50 && Set(found.map(\.key)).count == 50)
        }
    }

    @Test func aKeyMadeWithTagsNeedsTheRightToTag() async throws {
        try await House.with { house in
            let user = try await house.user("maker", allows: ["kms:CreateKey"])
            let creation = try KeyCreation(tags: [KeyTag(key: "a", value: "1")])
            #expect(
                await refusal { _ = try await house.keys.createKey(house.call(user, .createKey), creation) } == .accessDenied)
            _ = try await house.keys.createKey(house.call(user, .createKey), KeyCreation())
            let tagger = try await house.user("tagger", allows: ["kms:CreateKey", "kms:TagResource"])
            _ = try await house.keys.createKey(house.call(tagger, .createKey), creation)
        }
    }

    @Test func descriptionsChange() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let change = { (text: String) in
                await refusal {
                    try await house.keys.updateKeyDescription(
                        house.call(admin, .updateKeyDescription), key: key, description: text)
                }
            }
            #expect(await change("new") == nil)
            #expect(
                try await house.keys.describeKey(house.call(admin, .describeKey), key: key, grantTokens: []).description == "new")
            #expect(await change(String(repeating: "é", count: 8192)) == nil)
            #expect(await change(String(repeating: "é", count: 8193)) == .validation)
        }
    }

    @Test func changesOfAliasesAndTagsAreAnnounced() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            try await create(house, "alias/a", for: key)
            try await tag(house, key, ["a": "1"])
            #expect(await delete(house, admin, "alias/a") == nil)
            #expect(house.announcements.heard == [.policyChanged, .policyChanged, .policyChanged])
        }
    }
}
