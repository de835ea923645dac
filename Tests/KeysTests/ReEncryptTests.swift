import AWSProtocol
import Accounts
import FoundationEssentials
import Keys
import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct ReEncryptTests {
    @Test func plaintextMovesFromOneKeyAndContextToAnother() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let (one, two) = (try await house.createKey(), try await house.createKey())
            let blob = try await house.encrypt(admin, one, context: ["a": "b"])
            let made = try await house.reEncrypt(admin, blob, to: two, from: ["a": "b"], into: ["c": "d"])
            #expect(made.sourceARN == house.arn(one) && made.destinationARN == house.arn(two))
            #expect(try await house.decrypt(admin, made.ciphertext, key: two, context: ["c": "d"]) == "secret")
            #expect(
                await refusal { _ = try await house.decrypt(admin, made.ciphertext, context: ["a": "b"]) } == .invalidCiphertext)
            #expect(
                await refusal { _ = try await house.reEncrypt(admin, blob, to: two, into: ["c": "d"]) } == .invalidCiphertext)
            // On the same key too: to change the context, and to move to the newest material.
            _ = try await house.keys.rotateKeyOnDemand(house.call(admin, .rotateKeyOnDemand), key: one)
            let moved = try await house.reEncrypt(admin, blob, to: one, from: ["a": "b"])
            #expect(moved.sourceMaterialID != moved.destinationMaterialID)
            #expect(try await house.decrypt(admin, moved.ciphertext) == "secret")
        }
    }

    @Test func theSourceKeyMayBeNamedAndMustThenBeTheBlobs() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let (one, two) = (try await house.createKey(), try await house.createKey())
            try await house.keys.createAlias(house.call(admin, .createAlias), name: "alias/one", key: one)
            let blob = try await house.encrypt(admin, one)
            for source in [one, .keyID(house.arn(one).resourceName), .aliasName("alias/one")] as [KeyReference] {
                _ = try await house.reEncrypt(admin, blob, to: .aliasName("alias/one"), source: source)
            }
            for source in [two, .aliasName("alias/none"), .keyID("1234")] as [KeyReference] {
                #expect(await refusal { _ = try await house.reEncrypt(admin, blob, to: two, source: source) } == .incorrectKey)
            }
            #expect(await refusal { _ = try await house.reEncrypt(admin, Array("junk".utf8), to: two) } == .invalidCiphertext)
            #expect(await refusal { _ = try await house.reEncrypt(admin, blob, to: .keyID("1234")) } == .notFound)
        }
    }

    @Test func eachSideIsAskedForItsOwnPermission() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let (one, two) = (try await house.createKey(), try await house.createKey())
            let blob = try await house.encrypt(admin, one)
            let both = try await house.user("both", allows: ["kms:ReEncrypt*"])
            let from = try await house.user("from", allows: ["kms:ReEncryptFrom"])
            let to = try await house.user("to", allows: ["kms:ReEncryptTo"])
            let neither = try await house.user("neither", allows: ["kms:Decrypt", "kms:Encrypt", "kms:ReEncrypt"])
            _ = try await house.reEncrypt(both, blob, to: two)
            for user in [from, to, neither] {
                #expect(await refusal { _ = try await house.reEncrypt(user, blob, to: two) } == .accessDenied, "\(user.arn)")
            }
            // A grant on the side that is missing.
            _ = try await house.grant(admin, two, to: from.arn, [.reEncryptTo], subset: ["c": "d"])
            _ = try await house.grant(admin, one, to: to.arn, [.reEncryptFrom])
            #expect(await refusal { _ = try await house.reEncrypt(from, blob, to: two) } == .accessDenied)
            _ = try await house.reEncrypt(from, blob, to: two, into: ["c": "d"])
            _ = try await house.reEncrypt(to, blob, to: two)
        }
    }

    @Test func acrossAccountsBothSidesMustAllowAndEveryOwnerHearsOfIt() async throws {
        try await House.with { house in
            let owner = try await house.admin
            let other = try await house.existingUser("admin", of: stranger)
            let third = try await house.existingUser("admin", of: service.account)
            let (one, two) = (try await house.createKey(owner), try await house.createKey(other))
            let blob = try await house.encrypt(owner, one)
            #expect(await refusal { _ = try await house.reEncrypt(third, blob, to: two) } == .accessDenied)
            _ = try await house.grant(owner, one, to: third.arn, [.reEncryptFrom])
            #expect(await refusal { _ = try await house.reEncrypt(third, blob, to: two) } == .accessDenied)
            // What is refused tells no trail of a key that is not open to the caller.
            let refused = try await house.events(of: service.account, named: "ReEncrypt").first
            #expect(refused?["errorCode"] == "AccessDenied" && refused?["resources"] == [])
            #expect(try await house.events(of: stranger, named: "ReEncrypt").isEmpty)

            _ = try await house.grant(other, two, to: third.arn, [.reEncryptTo])
            let made = try await house.reEncrypt(third, blob, to: two, source: .keyID(house.arn(one).resourceName))
            #expect(try await house.decrypt(other, made.ciphertext) == "secret")
            let copies = try await [customer, stranger, service.account].asyncMap {
                try #require(try await house.events(of: $0, named: "ReEncrypt").first { $0["errorCode"] == nil })
            }
            #expect(Set(copies.map { $0["sharedEventID"]?.stringValue }).count == 1 && copies[0]["sharedEventID"] != nil)
            #expect(Set(copies.map { $0["eventID"]?.stringValue }).count == 3)
            for copy in copies {
                let keys = copy["resources"]?.arrayValue?.compactMap { $0["ARN"]?.stringValue }
                #expect(keys == [house.arn(one).description, house.arn(two).description])
            }
            #expect(copies[0]["userIdentity"]?["type"] == "AWSAccount" && copies[1]["userIdentity"]?["type"] == "AWSAccount")
        }
    }

    @Test func aStateOfEitherKeyStopsIt() async throws {
        try await House.with { house in
            let admin = try await house.admin
            for side in 0..<2 {
                let keys = [try await house.createKey(), try await house.createKey()]
                let blob = try await house.encrypt(admin, keys[0])
                try await house.keys.disableKey(house.call(admin, .disableKey), key: keys[side])
                #expect(await refusal { _ = try await house.reEncrypt(admin, blob, to: keys[1]) } == .disabled)
                _ = try await house.keys.scheduleKeyDeletion(
                    house.call(admin, .scheduleKeyDeletion), key: keys[side], windowDays: 7)
                #expect(await refusal { _ = try await house.reEncrypt(admin, blob, to: keys[1]) } == .invalidState)
            }
        }
    }

    @Test func aDryRunChecksEverythingAndCanDoWithoutABlob() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let nobody = try await house.user("nobody", allows: ["kms:ReEncryptFrom"])
            let (one, two) = (try await house.createKey(), try await house.createKey())
            let blob = try await house.encrypt(admin, one, context: ["a": "b"])
            let run = { (principal: Principal, blob: [UInt8]?, source: KeyReference?, context: [String: String]) in
                await refusal {
                    _ = try await house.keys.reEncrypt(
                        house.call(principal, .reEncrypt),
                        ReEncryption(ciphertext: blob, source: source, sourceContext: context, destination: two, isDryRun: true))
                }
            }
            #expect(await run(admin, blob, nil, ["a": "b"]) == .dryRun)
            #expect(await run(admin, blob, nil, [:]) == .invalidCiphertext)
            #expect(await run(nobody, blob, nil, ["a": "b"]) == .accessDenied)
            #expect(await run(admin, nil, one, [:]) == .dryRun)
            #expect(await run(nobody, nil, one, [:]) == .accessDenied)
            #expect(await run(admin, nil, nil, [:]) == .validation)
        }
    }
}

extension House {
    func reEncrypt(
        _ principal: Principal, _ blob: [UInt8], to key: KeyReference, source: KeyReference? = nil,
        from sourceContext: [String: String] = [:], into context: [String: String] = [:]
    ) async throws -> ReEncryptedBytes {
        try await keys.reEncrypt(
            call(principal, .reEncrypt),
            ReEncryption(
                ciphertext: blob, source: source, sourceContext: sourceContext, destination: key, destinationContext: context))
    }
}

extension Sequence {
    fileprivate func asyncMap<T>(_ body: (Element) async throws -> T) async rethrows -> [T] {
        var result: [T] = []
        for element in self { result.append(try await body(element)) }
        return result
    }
}
