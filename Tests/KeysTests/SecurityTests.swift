import AWSProtocol
import Accounts
import AuditTrail
import FoundationEssentials
import Keys
import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct SecurityTests {
    private let later = Date().addingTimeInterval(8 * 86_400)

    private func state(_ house: House) async throws -> SecurityState {
        try await SecuritySurvey.take([], pool: house.pool).state
    }

    private nonisolated(nonsending) func refusedBy(_ body: () async throws -> Void) async -> SecurityError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? SecurityError)?.code
        }
    }

    private func accept(_ house: House, _ security: SecurityGuard) async throws -> DatabaseRestore.Outcome? {
        try await DatabaseRestore(guard: security, identity: service).accept {
            try await AuditTrail.open(pool: house.pool, logger: quiet)
        }
    }

    @Test func everyChangeThatTakesARightAwayRaisesTheEpoch() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let user = try await house.user("u")
            _ = try await house.role("r")
            var grants: [CreatedGrant] = []
            for name in ["one", "two"] { grants.append(try await house.grant(admin, key, to: user.arn, name: name)) }
            let made = try await house.accounts.createAccessKey(user: "u", account: customer, by: .commandLine)
            let policy = KeyCreation.defaultPolicy(account: customer)
            let own = House.allow(["kms:Decrypt"])
            let changes: [(String, Int64, () async throws -> Void)] = [
                ("Encrypt", 0, { _ = try await house.encrypt(admin, key) }),
                ("CreateGrant", 0, { _ = try await house.grant(admin, key, to: user.arn, name: "three") }),
                ("CreateKey", 0, { _ = try await house.createKey() }),
                (
                    "RetireGrant", 1,
                    {
                        try await house.keys.retireGrant(
                            house.call(admin, .retireGrant), .grant(id: grants[0].id, key: house.arn(key)), isDryRun: false)
                    }
                ),
                (
                    "RevokeGrant", 1,
                    {
                        try await house.keys.revokeGrant(
                            house.call(admin, .revokeGrant), key: key, grantID: grants[1].id, isDryRun: false)
                    }
                ),
                ("DisableKey", 1, { try await house.keys.disableKey(house.call(admin, .disableKey), key: key) }),
                ("DisableKey again", 0, { try await house.keys.disableKey(house.call(admin, .disableKey), key: key) }),
                (
                    "PutKeyPolicy", 1,
                    {
                        try await house.keys.putKeyPolicy(
                            house.call(admin, .putKeyPolicy), key: key, name: "default", policy: policy + " ",
                            bypassesLockoutCheck: false)
                    }
                ),
                (
                    "ScheduleKeyDeletion", 1,
                    {
                        _ = try await house.keys.scheduleKeyDeletion(
                            house.call(admin, .scheduleKeyDeletion), key: key, windowDays: 7)
                    }
                ),
                (
                    "PutUserPolicy", 1,
                    {
                        try await house.accounts.putPolicy(
                            "x", document: own, of: .user("u"), account: customer, by: .commandLine)
                    }
                ),
                (
                    "DeleteUserPolicy", 1,
                    { try await house.accounts.deletePolicy("x", of: .user("u"), account: customer, by: .commandLine) }
                ),
                (
                    "UpdateAssumeRolePolicy", 1,
                    {
                        try await house.accounts.putTrustPolicy(
                            #"{"Statement":{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}}"#, role: "r",
                            account: customer, by: .commandLine)
                    }
                ),
                ("DeleteRole", 1, { try await house.accounts.deleteRole("r", account: customer, by: .commandLine) }),
                (
                    "UpdateAccessKey", 1,
                    {
                        try await house.accounts.setAccessKey(
                            made.accessKeyID, status: .inactive, account: customer, by: .commandLine)
                    }
                ),
                (
                    "DeleteAccessKey", 1,
                    { try await house.accounts.deleteAccessKey(made.accessKeyID, account: customer, by: .commandLine) }
                ),
                ("DeleteUser", 1, { try await house.accounts.deleteUser("u", account: customer, by: .commandLine) }),
            ]
            for (name, rise, change) in changes {
                let before = try await state(house)
                try await change()
                let after = try await state(house)
                #expect(after.epoch == before.epoch + rise, "\(name)")
                #expect(after.records > before.records, "\(name)")
            }
            // Folded or not, the epoch is the same.
            let before = try await state(house)
            try await house.security.note()
            #expect(try await house.pool.query("SELECT 1 FROM security_changes").isEmpty)
            #expect(try await state(house) == before)
            #expect(try await house.vault.securityState() == before)
        }
    }

    @Test func aChangeThatCommitsAfterALaterOneIsCounted() async throws {
        try await House.with { house in
            _ = try await house.user("slow")
            // Of another account: changes in one wait for each other.
            try await house.pool.execute("INSERT INTO accounts (account, name) VALUES ('000000000001', 'other')")
            try await house.pool.execute(
                "INSERT INTO users (user_id, account, path, name) VALUES ('AIDAQQQQQQQQQQQQQQQQQ', '000000000001', '/', 'quick')")
            let before = try await state(house).epoch
            let remove: (String) -> PostgresQuery = { "DELETE FROM users WHERE name = \($0)" }
            try await house.pool.transaction { slow in
                try await slow.execute(remove("slow"))
                try await house.pool.execute(remove("quick"))
                try await house.security.note()
                #expect(try await house.vault.securityState()?.epoch == before + 1)
            }
            try await house.security.note()
            #expect(try await house.vault.securityState()?.epoch == before + 2)
        }
    }

    @Test func anOlderDatabaseIsRefusedUntilAcceptedAndRightsStayWithdrawn() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let user = try await house.user("u")
            let revoked = try await house.createKey()
            let disabled = try await house.createKey()
            let blobs = [try await house.encrypt(admin, revoked), try await house.encrypt(admin, disabled)]
            let grant = try await house.grant(admin, revoked, to: user.arn, [.decrypt])
            let made = try await house.accounts.createAccessKey(user: "u", account: customer, by: .commandLine)
            let role = try await house.role("r")
            _ = try await house.session(of: role)
            try await house.security.note()
            let backup = try await Backup.make(of: house.pool)

            try await house.keys.revokeGrant(
                house.call(admin, .revokeGrant), key: revoked, grantID: grant.id, isDryRun: false)
            try await house.keys.disableKey(house.call(admin, .disableKey), key: disabled)
            try await house.accounts.deleteAccessKey(made.accessKeyID, account: customer, by: .commandLine)
            try await house.security.note()
            try await backup.restore()

            #expect(try await house.decrypt(user, blobs[0]) == "secret", "the backup has the grant")
            #expect(await refusedBy { try await house.security.note() } == .wentBack)
            let security = house.anotherGuard()
            #expect(await refusedBy { try await security.admit() } == .behind)
            #expect(await refusedBy { try await security.admit() } == .behind, "refusing must leave no trace")

            let preview = try await DatabaseRestore(guard: security, identity: service).preview()
            let outcome = try #require(try await accept(house, security))
            #expect(outcome == preview)
            #expect(outcome.keysDisabled == 2 && outcome.grantsRevoked == 1 && outcome.sessionsEnded == 1)
            #expect(outcome.accessKeysDeactivated == 1)
            #expect(try await accept(house, security) == nil, "a second run has nothing to do")
            try await house.anotherGuard().admit()

            #expect(await refusal { _ = try await house.decrypt(user, blobs[0]) } == .accessDenied)
            #expect(await refusal { _ = try await house.decrypt(admin, blobs[1]) } == .disabled)
            let keys = try await house.accounts.accessKeys(account: customer, user: "u")
            #expect(keys.map(\.status) == [.inactive])
            for account in [customer, stranger, service.account] {
                let event = try #require(try await house.events(of: account, named: "AcceptRestoredDatabase").first)
                #expect(event["requestParameters"]?["grantsRevoked"] == .int(1))
            }

            // The same backup once more, and one from before the acceptance: both are old again.
            try await backup.restore()
            #expect(await refusedBy { try await house.anotherGuard().admit() } == .behind)
        }
    }

    @Test func anAcceptanceThatTheVaultDidNotHearOfIsToldAtTheNextStart() async throws {
        try await House.with { house in
            _ = try await house.createKey()
            try await house.security.note()
            let backup = try await Backup.make(of: house.pool)
            _ = try await house.createKey()
            try await house.security.note()
            let noted = try #require(try await house.vault.securityState())
            try await backup.restore()
            _ = try await accept(house, house.anotherGuard())
            // As after a crash between the commit and the vault's note.
            try FileManager.default.removeItem(atPath: house.folder.path + "/vault/security.state")
            try await house.vault.note(noted)
            try await house.anotherGuard().admit()
            #expect(try await house.vault.securityState()?.incarnation == noted.incarnation + 1)
        }
    }

    @Test func aDatabaseThatWentAnotherWayIsRefusedHoweverFarItCame() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let backup = try await Backup.make(of: house.pool)
            _ = try await house.encrypt(admin, key)
            try await house.security.note()
            try await backup.restore()
            for _ in 0..<5 { _ = try await house.encrypt(admin, key) }
            guard case .behind(let findings) = try await house.anotherGuard().verdict() else {
                Issue.record("a fork was taken for the vault's own database")
                return
            }
            #expect(findings.count == 1 && findings[0].contains("audit shard"))
        }
    }

    @Test func anEmptyDatabaseAndAnotherVaultAreRefused() async throws {
        try await House.with { house in
            try await house.security.note()
            let other = try Folder()
            let foreign = SecurityGuard(pool: house.pool, vault: try await other.vault(), logger: quiet)
            #expect(await refusedBy { try await foreign.admit() } == .foreignVault)
            #expect(
                await refusedBy {
                    _ = try await DatabaseRestore(guard: foreign, identity: service).accept {
                        try await AuditTrail.open(pool: house.pool, logger: quiet)
                    }
                } == nil, "a vault without notes has nothing to accept")
            try await TestDatabase.with(migrations: .authority) { empty in
                let security = SecurityGuard(pool: empty, vault: house.vault, logger: quiet)
                #expect(await refusedBy { try await security.admit() } == .behind)
            }
        }
    }

    @Test func anotherRootKeyIsToldApartAtStart() async throws {
        try await House.with { house in
            let path = house.folder.path + "/root.key"
            try FileManager.default.moveItem(atPath: path, toPath: path + ".kept")
            let vault = try await house.folder.vault()
            #expect(
                await refusedBy { try await SecurityGuard(pool: house.pool, vault: vault, logger: quiet).admit() }
                    == .wrongRootKey)
        }
    }

    @Test func aBackupFromBeforeARotationNeedsTheRootKeyOfThen() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let blob = try await house.encrypt(admin, key)
            try await house.security.note()
            let backup = try await Backup.make(of: house.pool)
            let rotation = RootKeyRotation(guard: house.security, trail: house.trail, identity: service)
            _ = try await rotation.run(settle: {})
            try await house.security.note()
            try await backup.restore()

            let path = house.folder.path + "/root.key"
            try FileManager.default.moveItem(atPath: path, toPath: path + ".escrow")
            let without = SecurityGuard(pool: house.pool, vault: try await house.folder.vault(), logger: quiet)
            let before = try await state(house)
            let error = await #expect(throws: VaultError.self) { _ = try await accept(house, without) }
            #expect(error?.code == .unknownRootKey)
            #expect(try await state(house) == before, "nothing is withdrawn from a database that cannot be served")

            try FileManager.default.moveItem(atPath: path + ".escrow", toPath: path)
            let vault = try await house.folder.vault()
            let security = SecurityGuard(pool: house.pool, vault: vault, logger: quiet)
            #expect(try await accept(house, security) != nil)
            try await security.admit()
            let keys = try KeyService(
                pool: house.pool, accounts: house.accounts, trail: house.trail, vault: vault, identity: service, logger: quiet)
            try await keys.enableKey(house.call(admin, .enableKey), key: key)
            _ = try await keys.decrypt(house.call(admin, .decrypt), ciphertext: blob, key: nil, use: KeyUse())
        }
    }

    @Test func aDatabaseFromBeforeVersionsIsBoundToTheVersionThatItsRowsNeed() async throws {
        try await House.with { house in
            _ = try await house.createKey()
            let security = house.security
            // As the migration leaves it.
            try await house.pool.execute("DELETE FROM root_keys")
            try await RootKeyFiles(file: house.folder.path + "/root.key").make(2)
            try FileManager.default.removeItem(atPath: house.folder.path + "/root.key")
            let without = SecurityGuard(pool: house.pool, vault: try await house.folder.vault(), logger: quiet)
            let error = await #expect(throws: VaultError.self) { try await without.admit() }
            #expect(error?.code == .unknownRootKey)
            try await security.admit()
            let known = try await RootKeyRotation(guard: security, trail: house.trail, identity: service).versions()
            #expect(known.map(\.version) == [1])
        }
    }

    @Test func withoutNotesKeysAreNotUsedButRightsCanBeWithdrawn() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let blob = try await house.encrypt(admin, key)
            let grant = try await house.grant(admin, key, to: admin.arn)
            let hasty = SecurityGuard(pool: house.pool, vault: house.vault, closesAfter: .zero, logger: quiet)
            try await hasty.note()
            #expect(await refusal { _ = try await house.decrypt(admin, blob) } == .internal)
            #expect(await refusal { _ = try await house.encrypt(admin, key) } == .internal)
            #expect(
                await refusal {
                    try await house.keys.revokeGrant(
                        house.call(admin, .revokeGrant), key: key, grantID: grant.id, isDryRun: false)
                } == nil)
            // A vault that cannot be written: something is in the way of the file.
            let file = house.folder.path + "/vault/security.state"
            try FileManager.default.removeItem(atPath: file)
            try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: false)
            await #expect(throws: VaultError.self) { try await house.anotherGuard().note() }
            #expect(await refusal { _ = try await house.decrypt(admin, blob) } == .internal)
            try FileManager.default.removeItem(atPath: file)
            try await house.anotherGuard().note()
            #expect(try await house.decrypt(admin, blob) == "secret")
        }
    }

    @Test func aShreddedKeyStaysDeadWhateverIsRestored() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let other = try await house.createKey()
            let blob = try await house.encrypt(admin, key)
            try await house.security.note()
            let backup = try await Backup.make(of: house.pool)
            _ = try await house.keys.scheduleKeyDeletion(house.call(admin, .scheduleKeyDeletion), key: key, windowDays: 7)
            #expect(try await house.keys.destroyDueKeys(now: later) == 1)
            #expect(await refusal { _ = try await house.decrypt(admin, blob) } == .accessDenied)
            try await house.security.note()
            try await backup.restore()
            // Even were it served as it is:
            #expect(await refusal { _ = try await house.decrypt(admin, blob) } == .invalidState)
            let outcome = try #require(try await accept(house, house.anotherGuard()))
            #expect(outcome.keysBuried == 1 && outcome.keysDisabled == 1)
            #expect(await refusal { _ = try await house.decrypt(admin, blob) } == .accessDenied)
            try await house.keys.enableKey(house.call(admin, .enableKey), key: other)
            #expect(await refusal { _ = try await house.encrypt(admin, other) } == nil)
        }
    }

    @Test func aDeletionWaitsForAReplicaThatIsAway() async throws {
        try await House.with(replicas: 2) { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let second = try await house.createKey()
            let replica = house.folder.path + "/vault2"
            for key in [key, second] {
                _ = try await house.keys.scheduleKeyDeletion(house.call(admin, .scheduleKeyDeletion), key: key, windowDays: 7)
            }
            try FileManager.default.moveItem(atPath: replica, toPath: replica + ".away")
            #expect(try await house.keys.destroyDueKeys(now: later) == 0)
            #expect(try await SecuritySurvey.take([], pool: house.pool).deletionsPending == 2)
            let gone = await refusal {
                _ = try await house.keys.describeKey(house.call(admin, .describeKey), key: key, grantTokens: [])
            }
            #expect(gone == .notFound)
            #expect(await refusal { _ = try await house.createKey() } == .internal, "a key needs every replica")

            try FileManager.default.moveItem(atPath: replica + ".away", toPath: replica)
            let file = replica + "/\(house.arn(key).resourceName).shred"
            #expect(FileManager.default.fileExists(atPath: file))
            #expect(try await house.keys.destroyDueKeys(now: later) == 2)
            #expect(!FileManager.default.fileExists(atPath: file))
            #expect(try await SecuritySurvey.take([], pool: house.pool).deletionsPending == 0)
            #expect(try await house.events(named: "DeleteKey").count == 2)
        }
    }
}
