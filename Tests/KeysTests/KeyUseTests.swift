import AWSProtocol
import Accounts
import FoundationEssentials
import Keys
import Policies
import Postgres
import PostgresTesting
import Secrets
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct KeyUseTests {
    @Test func aDataKeyOpensAgainUnderItsContextAlone() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let made = try await house.keys.generateDataKey(
                house.call(admin, .generateDataKey), key: key, bytes: 32, use: KeyUse(encryptionContext: ["a": "b"]))
            let opened = try await house.keys.decrypt(
                house.call(admin, .decrypt), ciphertext: made.ciphertext, key: nil, use: KeyUse(encryptionContext: ["a": "b"]))
            #expect(opened.keyARN == house.arn(key) && made.keyARN == opened.keyARN && made.materialID == opened.materialID)
            let first = try made.plaintext.withUnsafeBytes { Array($0) }
            #expect(try opened.plaintext.withUnsafeBytes { Array($0) } == first && first.count == 32)

            for context in [[:], ["a": "B"], ["A": "b"], ["a": "b", "c": "d"]] {
                let code = await refusal { _ = try await house.decrypt(admin, made.ciphertext, context: context) }
                #expect(code == .invalidCiphertext)
            }
        }
    }

    @Test func aKeyInTheRequestMustBeTheBlobs() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let other = try await house.createKey()
            let blob = try await house.encrypt(admin, key)
            #expect(try await house.decrypt(admin, blob, key: key) == "secret")
            #expect(try await house.decrypt(admin, blob, key: .keyID(house.arn(key).resourceName)) == "secret")
            #expect(await refusal { _ = try await house.decrypt(admin, blob, key: other) } == .incorrectKey)
        }
    }

    @Test func aDryRunFailsAsTheRealCallWouldAndElseWithItsOwnError() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let nobody = try await house.user("nobody")
            let key = try await house.createKey()
            let blob = try await house.encrypt(admin, key)
            #expect(await refusal { _ = try await house.encrypt(admin, key, dryRun: true) } == .dryRun)
            #expect(await refusal { _ = try await house.decrypt(admin, blob, dryRun: true) } == .dryRun)
            #expect(await refusal { _ = try await house.decrypt(nobody, blob, dryRun: true) } == .accessDenied)
            #expect(
                await refusal { _ = try await house.decrypt(admin, blob, context: ["x": "y"], dryRun: true) }
                    == .invalidCiphertext)
            try await house.keys.disableKey(house.call(admin, .disableKey), key: key)
            #expect(await refusal { _ = try await house.decrypt(admin, blob, dryRun: true) } == .disabled)
        }
    }

    @Test func aDisabledKeyIsOfNoUseUntilItIsEnabled() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let blob = try await house.encrypt(admin, key)
            try await house.keys.disableKey(house.call(admin, .disableKey), key: key)
            try await house.keys.disableKey(house.call(admin, .disableKey), key: key)
            #expect(await refusal { _ = try await house.decrypt(admin, blob) } == .disabled)
            #expect(await refusal { _ = try await house.grant(admin, key, to: admin.arn) } == .disabled)
            try await house.keys.enableKey(house.call(admin, .enableKey), key: key)
            #expect(try await house.decrypt(admin, blob) == "secret")
            #expect(house.announcements.heard == [.keyDisabled, .keyDisabled, .keyEnabled])
        }
    }

    @Test func absentForeignAndDeniedKeysAnswerAlikeAcrossAccounts() async throws {
        try await House.with { house in
            let other = try await house.existingUser("admin", of: stranger)
            let key = try await house.createKey()
            let absent = ARN(service: "kms", region: region, account: customer, resource: "key/0000")
            var messages: [String] = []
            for arn in [house.arn(key), absent] {
                do {
                    _ = try await house.keys.describeKey(house.call(other, .describeKey), key: .keyARN(arn), grantTokens: [])
                } catch let error as KeyError {
                    #expect(error.code == .accessDenied)
                    messages.append(error.message.replacing(arn.description, with: "KEY"))
                }
            }
            #expect(messages.count == 2 && messages[0] == messages[1])
            // Nothing of it in the owner's trail, and in the stranger's no sign that the key exists.
            #expect(try await house.events(named: "DescribeKey").isEmpty)
            let events = try await house.events(of: stranger, named: "DescribeKey")
            #expect(events.allSatisfy { $0["resources"]?.arrayValue?.isEmpty == true } && events.count == 2)
        }
    }

    @Test func anOwnKeyThatIsAbsentIsNotFound() async throws {
        try await House.with { house in
            let admin = try await house.admin
            for reference in [KeyReference.keyID("0000"), .aliasName("alias/none")] {
                let code = await refusal {
                    _ = try await house.keys.describeKey(house.call(admin, .describeKey), key: reference, grantTokens: [])
                }
                #expect(code == .notFound)
            }
        }
    }

    @Test func aliasesWorkWhereKMSTakesThem() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            try await house.keys.createAlias(house.call(admin, .createAlias), name: "alias/data", key: key)
            let blob = try await house.encrypt(admin, .aliasName("alias/data"))
            #expect(try await house.decrypt(admin, blob) == "secret")
            #expect(await refusal { _ = try await house.grant(admin, .aliasName("alias/data"), to: admin.arn) } == .notFound)
            let taken = await refusal {
                try await house.keys.createAlias(house.call(admin, .createAlias), name: "alias/data", key: key)
            }
            #expect(taken == .alreadyExists)
            for name in ["data", "alias/", "alias/aws/x", "alias/a b"] {
                let code = await refusal {
                    try await house.keys.createAlias(house.call(admin, .createAlias), name: name, key: key)
                }
                #expect(code == .invalidAliasName, "\(name)")
            }
            let page = try await house.keys.listAliases(house.call(admin, .listAliases), key: key, limit: 10, marker: nil)
            #expect(page.items.map(\.name) == ["alias/data"])
        }
    }

    @Test func listingsMeetPageByPage() async throws {
        try await House.with { house in
            let admin = try await house.admin
            var made: Set<ARN> = []
            for _ in 0..<5 { made.insert(house.arn(try await house.createKey())) }
            var seen: [ARN] = []
            var marker: String?
            repeat {
                let page = try await house.keys.listKeys(house.call(admin, .listKeys), limit: 2, marker: marker)
                seen += page.items
                marker = page.nextMarker
            } while marker != nil
            #expect(seen.count == 5 && Set(seen) == made)
            let full = try await house.keys.listKeys(house.call(admin, .listKeys), limit: 5, marker: nil)
            #expect(full.nextMarker == nil)
            let wrong = await refusal { _ = try await house.keys.listKeys(house.call(admin, .listKeys), limit: 2, marker: "x") }
            #expect(wrong == .invalidMarker)
        }
    }

    @Test func aPolicyMayNotLockItsAuthorOutNorNameNobody() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let put = { (policy: String, bypass: Bool) in
                await refusal {
                    try await house.keys.putKeyPolicy(
                        house.call(admin, .putKeyPolicy), key: key, name: "default", policy: policy, bypassesLockoutCheck: bypass)
                }
            }
            let lockout =
                #"{"Statement":{"Effect":"Allow","Principal":{"AWS":"\#(admin.arn)"},"Action":"kms:Decrypt","Resource":"*"}}"#
            #expect(await put(lockout, false) == .malformedPolicy)
            let nobody =
                #"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"\#(admin.arn)"},"Action":"kms:*","Resource":"*"},{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/none"},"Action":"kms:*","Resource":"*"}]}"#
            #expect(await put(nobody, false) == .malformedPolicy)
            #expect(await put("not JSON", true) == .malformedPolicy)
            #expect(await put(lockout, true) == nil)
            #expect(await put(lockout, true) == .accessDenied)
        }
    }

    @Test func withoutTheDelegatingStatementIdentityPoliciesAndRootHaveNoRight() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let other = try await house.user("other", allows: ["kms:*"])
            let policy = #"{"Statement":{"Effect":"Allow","Principal":{"AWS":"\#(admin.arn)"},"Action":"kms:*","Resource":"*"}}"#
            let key = try await house.createKey(policy: policy)
            let blob = try await house.encrypt(admin, key)
            #expect(await refusal { _ = try await house.decrypt(other, blob) } == .accessDenied)
            #expect(await refusal { _ = try await house.decrypt(house.root(of: customer), blob) } == .accessDenied)
            let delegated = try await house.createKey()
            let second = try await house.encrypt(admin, delegated)
            #expect(try await house.decrypt(other, second) == "secret")
            #expect(try await house.decrypt(house.root(of: customer), second) == "secret")
        }
    }

    @Test func conditionsSeeContextViaServiceAndCaller() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let role = try await house.role("passed")
            // The document's policy with quotes and braces mended and its placeholders filled.
            let policy = """
                {"Version": "2012-10-17", "Statement" : [ {"Sid" : "Allow access to principals authorized to use Amazon Forecast",
                 "Effect" : "Allow", "Principal" : {"AWS" : "\(role.arn)" },
                 "Action" : [ "kms:DescribeKey", "kms:CreateGrant", "kms:RetireGrant" ], "Resource" : "*",
                 "Condition" : {"StringEquals" : {"kms:ViaService" : "forecast.us-west-2.amazonaws.com",
                 "kms:CallerAccount" : "\(customer)" } } },
                 {"Sid": "Allow access for key administrators", "Effect": "Allow",
                  "Principal": {"AWS": "arn:aws:iam::\(customer):root" }, "Action" : [ "kms:*" ],
                  "Resource": "arn:aws:kms:us-west-2:\(customer):key/*"} ]}
                """
            let key = try await house.createKey(admin, policy: policy)
            let record = SessionRecord(
                sourceARN: "arn:aws:forecast:us-west-2:\(customer):dataset/d", sourceAccount: customer,
                viaService: service.viaService, callerAccount: customer, grantIsForAWSResource: true,
                sourceIPAddress: "203.0.113.9",
                userAgent: "boto3")
            let forService = try await house.session(of: role, name: "forecast-1", record: record)
            let direct = try await house.session(of: role, name: "direct")
            let worker = try await house.session(
                of: house.role("forecastle-worker", of: service.account, allows: ["kms:Decrypt", "kms:GenerateDataKey"]),
                name: "job-1")
            let sweeper = try await house.role("forecastle-sweeper", of: service.account)

            let made = try await house.grant(
                forService, key, to: worker.arn, retiring: sweeper.arn, subset: ["forecastle:account": customer])
            #expect(await refusal { _ = try await house.grant(direct, key, to: worker.arn) } == .accessDenied)
            #expect(
                await refusal {
                    _ = try await house.keys.generateDataKey(
                        house.call(forService, .generateDataKey), key: key, bytes: 32, use: KeyUse())
                } == .accessDenied)

            let context = ["forecastle:account": customer, "forecastle:job": "1"]
            let data = try await house.keys.generateDataKey(
                house.call(worker, .generateDataKey), key: key, bytes: 32, use: KeyUse(encryptionContext: context))
            _ = try await house.decrypt(worker, data.ciphertext, context: context)
            #expect(await refusal { _ = try await house.decrypt(worker, data.ciphertext) } == .accessDenied)

            try await house.keys.retireGrant(
                house.call(forService, .retireGrant), .grant(id: made.id, key: house.arn(key)), isDryRun: false)
            #expect(await refusal { _ = try await house.decrypt(worker, data.ciphertext, context: context) } == .accessDenied)

            // The trail: the service's own uses are the owner's events under the service's name.
            let uses = try await house.events(named: "GenerateDataKey").filter { $0["errorCode"] == nil }
            #expect(uses.count == 1)
            #expect(uses[0]["userIdentity"]?.objectValue == ["type": "AWSService", "invokedBy": "forecast.amazonaws.com"])
            let retired = try await house.events(named: "RetireGrant")
            #expect(retired.first?["additionalEventData"]?["grantId"]?.stringValue == made.id)
            #expect(retired.first?["resources"]?.arrayValue?.first?["ARN"]?.stringValue == house.arn(key).description)
            let created = try await house.events(named: "CreateGrant").first { $0["errorCode"] == nil }
            #expect(created?["responseElements"]?.objectValue == ["grantId": .string(made.id)])
        }
    }

    @Test func refusalsAreRecordedWithoutResponse() async throws {
        try await House.with { house in
            let nobody = try await house.user("nobody")
            let blob = try await house.encrypt(house.admin, house.createKey())
            _ = await refusal { _ = try await house.decrypt(nobody, blob) }
            let event = try await house.events(named: "Decrypt").first
            #expect(event?["errorCode"] == "AccessDenied" && event?["responseElements"] == .null)
            #expect(event?["errorMessage"]?.stringValue?.contains("kms:Decrypt") == true)
        }
    }

    @Test func withoutADurableRecordThereIsNoAnswer() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let blob = try await house.encrypt(admin, key)
            try await house.pool.execute("ALTER TABLE audit_records ADD CONSTRAINT no_room CHECK (false) NOT VALID")
            #expect(await refusal { _ = try await house.decrypt(admin, blob) } == .internal)
            #expect(await refusal { _ = try await house.grant(admin, key, to: admin.arn) } == .internal)
            let grants = try await house.pool.query("SELECT 1 FROM key_grants")
            #expect(grants.isEmpty)
        }
    }

    @Test func aSessionsPolicyNarrowsWhatItsRoleMayDo() async throws {
        try await House.with { house in
            let role = try await house.role("r", allows: ["kms:*"])
            let key = try await house.createKey()
            let blob = try await house.encrypt(house.admin, key)
            let narrowed = try await house.session(of: role, policy: House.allow(["kms:Encrypt"]))
            #expect(await refusal { _ = try await house.decrypt(narrowed, blob) } == .accessDenied)
            #expect(try await house.decrypt(house.session(of: role), blob) == "secret")
        }
    }
}

extension String {
    fileprivate func replacing(_ text: String, with other: String) -> String {
        split(separator: text, omittingEmptySubsequences: false).joined(separator: other)
    }
}
