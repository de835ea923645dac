import AWSProtocol
import Accounts
import FoundationEssentials
import Keys
import Policies
import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct DeletionTests {
    private let later = Date().addingTimeInterval(8 * 86_400)

    @Test func aDeletedKeyIsGoneAndARestoredDatabaseDoesNotBringItBack() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let blob = try await house.encrypt(admin, key)
            _ = try await house.grant(admin, key, to: admin.arn)
            try await house.keys.createAlias(house.call(admin, .createAlias), name: "alias/a", key: key)
            let keyID = house.arn(key).resourceName
            // A backup of the rows, made while the key was well.
            try await house.pool.execute("CREATE TABLE backup_keys AS SELECT * FROM keys")
            try await house.pool.execute("CREATE TABLE backup_materials AS SELECT * FROM key_materials")

            _ = try await house.keys.scheduleKeyDeletion(house.call(admin, .scheduleKeyDeletion), key: key, windowDays: 7)
            #expect(try await house.keys.destroyDueKeys(now: Date()) == 0)
            #expect(try await house.keys.destroyDueKeys(now: later) == 1)
            #expect(try await house.keys.destroyDueKeys(now: later) == 0)

            let gone = await refusal {
                _ = try await house.keys.describeKey(house.call(admin, .describeKey), key: key, grantTokens: [])
            }
            #expect(gone == .notFound)
            #expect(await refusal { _ = try await house.decrypt(admin, blob) } == .accessDenied)
            for table in ["key_grants", "key_aliases", "key_materials"] {
                #expect(try await house.pool.query("SELECT 1 FROM \(raw: table)").isEmpty, "\(table)")
            }
            #expect(!FileManager.default.fileExists(atPath: house.folder.path + "/vault/\(keyID).shred"))
            let event = try await house.events(named: "DeleteKey").first
            #expect(event?["eventType"] == "AwsServiceEvent")

            try await house.pool.execute("DELETE FROM keys")
            try await house.pool.execute("INSERT INTO keys SELECT * FROM backup_keys")
            try await house.pool.execute("INSERT INTO key_materials SELECT * FROM backup_materials")
            let described = try await house.keys.describeKey(house.call(admin, .describeKey), key: key, grantTokens: [])
            #expect(described.state == .enabled)
            #expect(await refusal { _ = try await house.decrypt(admin, blob) } == .invalidState)
            #expect(await refusal { _ = try await house.encrypt(admin, key) } == .invalidState)
        }
    }

    @Test func aDeletionInterruptedBeforeTheShreddingIsFinishedLater() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            _ = try await house.keys.scheduleKeyDeletion(house.call(admin, .scheduleKeyDeletion), key: key, windowDays: 7)
            // As after a crash between the tombstone and the vault.
            try await house.pool.execute("DELETE FROM key_materials")
            try await house.pool.execute("UPDATE keys SET state = 'Deleted'")
            #expect(try await house.keys.destroyDueKeys(now: later) == 1)
            let path = house.folder.path + "/vault/\(house.arn(key).resourceName).shred"
            #expect(!FileManager.default.fileExists(atPath: path))
            #expect(try await house.keys.destroyDueKeys(now: later) == 0)
        }
    }

    @Test func aCancelledDeletionLeavesTheKeyDisabled() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let blob = try await house.encrypt(admin, key)
            for window in [6, 31] {
                let code = await refusal {
                    _ = try await house.keys.scheduleKeyDeletion(
                        house.call(admin, .scheduleKeyDeletion), key: key, windowDays: window)
                }
                #expect(code == .validation)
            }
            let scheduled = try await house.keys.scheduleKeyDeletion(
                house.call(admin, .scheduleKeyDeletion), key: key, windowDays: 30)
            #expect(scheduled.windowDays == 30)
            #expect(await refusal { _ = try await house.decrypt(admin, blob) } == .invalidState)
            #expect(await refusal { try await house.keys.enableKey(house.call(admin, .enableKey), key: key) } == .invalidState)
            _ = try await house.keys.cancelKeyDeletion(house.call(admin, .cancelKeyDeletion), key: key)
            let described = try await house.keys.describeKey(house.call(admin, .describeKey), key: key, grantTokens: [])
            #expect(described.state == .disabled && described.deletionAt == nil)
            try await house.keys.enableKey(house.call(admin, .enableKey), key: key)
            #expect(try await house.decrypt(admin, blob) == "secret")
            #expect(try await house.keys.destroyDueKeys(now: later) == 0)
        }
    }

    @Test func theDefaultKeyServesItsOwnAccountsDataThroughGrantsAlone() async throws {
        try await House.with { house in
            let worker = try await house.session(
                of: house.role("forecastle-worker", of: service.account, allows: ["kms:Decrypt", "kms:GenerateDataKey"]),
                name: "job-1")
            for name in [ServiceIdentity.apiUser, ServiceIdentity.workerUser] {
                _ = try await house.user(name, of: service.account)
            }
            _ = try await house.role(ServiceIdentity.apiRole, of: service.account)
            let api = try await house.existingUser(ServiceIdentity.apiUser, of: service.account)
            let arn = try await house.keys.ensureDefaultKey(of: customer)
            #expect(try await house.keys.ensureDefaultKey(of: customer) == arn)
            #expect(arn.account == service.account)
            let key = KeyReference.keyARN(arn)

            let own = ["forecastle:account": customer, "forecastle:resource": "r"]
            #expect(await refusal { _ = try await house.grant(api, key, to: worker.arn, subset: own) } == nil)
            for context in [nil, ["forecastle:account": stranger], ["forecastle:resource": "r"]] {
                #expect(await refusal { _ = try await house.grant(api, key, to: worker.arn, subset: context) } == .accessDenied)
            }
            #expect(
                await refusal { _ = try await house.grant(api, key, to: worker.arn, [.createGrant], subset: own) }
                    == .accessDenied)
            let data = try await house.keys.generateDataKey(
                house.call(worker, .generateDataKey), key: key, bytes: 32, use: KeyUse(encryptionContext: own))
            _ = try await house.decrypt(worker, data.ciphertext, context: own)
            let admin = try await house.existingUser("admin", of: service.account)
            #expect(await refusal { _ = try await house.decrypt(admin, data.ciphertext, context: own) } == .accessDenied)
        }
    }

    @Test func severalProcessesMakeOneDefaultKey() async throws {
        try await House.with { house in
            let arns = try await withThrowingTaskGroup(of: ARN.self) { tasks in
                for _ in 0..<4 { tasks.addTask { try await house.keys.ensureDefaultKey(of: customer) } }
                return try await tasks.reduce(into: Set<ARN>()) { $0.insert($1) }
            }
            #expect(arns.count == 1)
            let files = try FileManager.default.contentsOfDirectory(atPath: house.folder.path + "/vault")
            #expect(files.filter { $0.hasSuffix(".shred") && $0 != "grant-tokens.shred" }.count == 1)
        }
    }

    @Test func anotherServiceMayAskAboutACaller() async throws {
        try await House.with { house in
            let key = try await house.createKey()
            let admin = try await house.admin
            let circumstances = RequestCircumstances(
                time: Date(), sourceIP: "203.0.113.7", isSecureTransport: false, region: region,
                forwarded: .init(viaService: service.viaService, servicePrincipal: service.servicePrincipal))
            func ask(_ principal: Principal, _ action: String = "kms:Decrypt") async throws -> KeyAccess {
                try await house.keys.decide(
                    principal: principal, circumstances: circumstances, action: action, key: house.arn(key).description,
                    encryptionContext: [:], context: ConditionContext())
            }
            #expect(try await ask(admin).isAllowed)
            let denied = try await ask(house.user("nobody"))
            #expect(!denied.isAllowed && denied.code == "AccessDeniedException" && !denied.message.isEmpty)
            #expect(try await ask(admin, "s3:GetObject").isAllowed == false)
            try await house.keys.disableKey(house.call(admin, .disableKey), key: key)
            #expect(try await ask(admin).code == "DisabledException")
        }
    }
}
