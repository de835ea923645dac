import AWSProtocol
import Accounts
import FoundationEssentials
import Keys
import Postgres
import PostgresTesting
import Secrets
import Synchronization
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct RootKeyRotationTests {
    private struct Stopped: Error {}

    private final class Flag: Sendable {
        private let value = Mutex(false)
        var isSet: Bool { value.withLock { $0 } }
        func set() { value.withLock { $0 = true } }
    }

    private func rotation(_ house: House) -> RootKeyRotation {
        RootKeyRotation(guard: house.security, trail: house.trail, identity: service)
    }

    /// How many rows each version of the root key seals.
    private func versions(_ house: House) async throws -> [Int: Int] {
        let rows = try await house.pool.query(
            """
            SELECT root_key_version(sealed) AS version, count(*) AS n FROM (
                SELECT sealed FROM key_materials UNION ALL SELECT sealed_secret FROM access_keys
                UNION ALL SELECT sealed_secret FROM sessions UNION ALL SELECT sealed_seed FROM mfa_devices) AS all_sealed
            GROUP BY 1
            """)
        return try rows.reduce(into: [:]) { $0[Int(try $1.get("version", as: Int32.self))] = try $1.get("n", as: Int.self) }
    }

    private func states(_ house: House) async throws -> [RootKeyVersion.State] {
        try await rotation(house).versions().map(\.state)
    }

    /// Keys, access keys, sessions and MFA devices; half of the rows as versions before root keys had numbers wrote them.
    private func fill(_ house: House) async throws -> [(key: KeyReference, blob: [UInt8])] {
        let admin = try await house.admin
        let role = try await house.role("r")
        var keys: [(KeyReference, [UInt8])] = []
        for number in 0..<6 {
            let key = try await house.createKey()
            keys.append((key, try await house.encrypt(admin, key)))
            _ = try await house.user("u\(number)")
            _ = try await house.accounts.createAccessKey(user: "u\(number)", account: customer, by: .commandLine)
            _ = try await house.session(of: role, name: "session-\(number)")
            let device = try await house.accounts.prepareMFADevice()
            _ = try await house.pool.transaction {
                try await house.accounts.insert(
                    device, name: "phone-\(number)", path: "/", tags: .none, account: customer, on: $0)
            }
            let stored = try await house.pool.query(
                "SELECT sealed_seed FROM mfa_devices WHERE device_id = \(device.deviceID)")
            let sealed: [UInt8] = try #require(stored.first).get("sealed_seed")
            let seed = try device.seed.withUnsafeBytes { Array($0) }
            #expect(seed.count == 40 && !sealed.indices.contains { sealed[$0...].starts(with: seed.prefix(8)) })
        }
        for (table, id, column) in [
            ("key_materials", "key_id", "sealed"), ("access_keys", "access_key_id", "sealed_secret"),
            ("sessions", "access_key_id", "sealed_secret"), ("mfa_devices", "device_id", "sealed_seed"),
        ] {
            let changed = try await house.pool.execute(
                """
                UPDATE \(raw: table) SET \(raw: column) = substring(\(raw: column) FROM 13)
                WHERE \(raw: id) IN (SELECT \(raw: id) FROM \(raw: table) ORDER BY 1 LIMIT 3)
                """)
            #expect(changed == 3)
        }
        return keys
    }

    /// Every secret of the tables opens, in a process that is started now.
    private func everythingOpens(_ house: House, _ keys: [(key: KeyReference, blob: [UInt8])]) async throws {
        let vault = try await house.folder.vault()
        let security = SecurityGuard(pool: house.pool, vault: vault, logger: quiet)
        try await security.admit()
        let sealer = VaultSealer(vault: vault)
        for row in try await house.pool.query("SELECT device_id::text AS id, sealed_seed FROM mfa_devices") {
            let label = "mfa-device/" + (try row.get("id", as: String.self))
            #expect(try await sealer.open(try row.get("sealed_seed"), label: label).count == 40)
        }
        for (table, prefix) in [("access_keys", "access-key/"), ("sessions", "session/")] {
            for row in try await house.pool.query("SELECT access_key_id, sealed_secret FROM \(raw: table)") {
                let id: String = try row.get("access_key_id")
                #expect(try await sealer.open(try row.get("sealed_secret"), label: prefix + id).count == 40)
            }
        }
        let admin = try await house.admin
        let fresh = try KeyService(
            pool: house.pool, accounts: house.accounts, trail: house.trail, vault: vault, identity: service, logger: quiet)
        for (_, blob) in keys {
            let opened = try await fresh.decrypt(house.call(admin, .decrypt), ciphertext: blob, key: nil, use: KeyUse())
            #expect(try opened.plaintext.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } == "secret")
        }
    }

    @Test func everythingIsSealedAnewAndTheOldVersionRetired() async throws {
        try await House.with { house in
            let keys = try await fill(house)
            let token = try await house.grant(house.admin, keys[0].key, to: house.admin.arn).token
            try await everythingOpens(house, keys)
            let before = try await versions(house)
            let outcome = try await rotation(house).run(settle: {})
            #expect(outcome.version == 2 && outcome.retired == [1] && outcome.dead == 0)
            #expect(outcome.resealed == before[1])
            #expect(try await versions(house) == [2: outcome.resealed])
            #expect(try await states(house) == [.retired, .current])
            try await everythingOpens(house, keys)

            // The old version's file is of no use any more, and grant tokens do not care.
            try await rotation(house).destroySource(of: 1)
            #expect(!FileManager.default.fileExists(atPath: house.folder.path + "/root.key"))
            try await everythingOpens(house, keys)
            #expect(try await house.decrypt(house.admin, keys[0].blob, tokens: [token]) == "secret")
            _ = try await house.encrypt(house.admin, house.createKey())
            for name in ["RotateRootKey", "RetireRootKey"] {
                let event = try #require(try await house.events(of: service.account, named: name).first)
                #expect(event["requestParameters"]?["version"] == .int(2) && event["eventSource"] == "vault.forecastle")
            }
            // And again: version 3.
            let again = try await rotation(house).run(settle: {})
            #expect(again.version == 3 && again.retired == [2])
            try await everythingOpens(house, keys)
        }
    }

    @Test func aRotationThatWasCutShortIsFinishedByTheNextRun() async throws {
        try await House.with { house in
            let keys = try await fill(house)
            let whole = try await versions(house)[1] ?? 0
            await #expect(throws: Stopped.self) {
                _ = try await rotation(house).run(settle: {}, progress: { if $0 > 0 { throw Stopped() } })
            }
            let half = try await versions(house)
            #expect((half[1] ?? 0) > 0 && (half[2] ?? 0) > 0, "\(half)")
            #expect(try await states(house) == [.retiring, .current])
            // Both versions are open, here and in a process that starts now.
            try await everythingOpens(house, keys)
            let refused = await #expect(throws: SecurityError.self) { _ = try await rotation(house).prepare() }
            #expect(refused?.code == .rotation)

            let outcome = try await rotation(house).run(settle: {})
            #expect(outcome.version == 2 && outcome.resealed == half[1] && outcome.retired == [1])
            #expect(try await versions(house) == [2: whole])
            try await everythingOpens(house, keys)
        }
    }

    @Test func processesServeWhileTheRootKeyChanges() async throws {
        try await House.with { house in
            let keys = try await fill(house)
            let admin = try await house.admin
            let role = try await house.role("busy")
            // A second process on the same vault, which hears of the new version by its own tick.
            let vault = try await house.folder.vault()
            let second = SecurityGuard(pool: house.pool, vault: vault, logger: quiet)
            try await second.admit()
            let accounts = AccountsStore(pool: house.pool, sealer: VaultSealer(vault: vault), trail: house.trail, region: region)
            let other = try KeyService(
                pool: house.pool, accounts: accounts, trail: house.trail, vault: vault, identity: service, logger: quiet)
            let isDone = Flag()
            let uses = try await withThrowingTaskGroup(of: Int.self) { tasks in
                for key in keys.prefix(3) {
                    tasks.addTask {
                        var uses = 0
                        while !isDone.isSet || uses == 0 {
                            #expect(try await house.decrypt(admin, key.blob) == "secret")
                            let sealed = try await other.generateDataKey(
                                house.call(admin, .generateDataKey), key: key.key, bytes: 32, use: KeyUse())
                            _ = try await house.decrypt(admin, sealed.ciphertext)
                            // Sealed by the process that may not know of the new version yet.
                            let prepared = try await accounts.prepareSession()
                            let request = SessionRequest(role: role, name: "busy", seconds: 900)
                            _ = try await house.pool.transaction { try await accounts.insert(prepared, for: request, on: $0) }
                            uses += 1
                        }
                        return uses
                    }
                }
                tasks.addTask {
                    defer { isDone.set() }
                    let outcome = try await rotation(house).run(settle: { try await second.note() })
                    #expect(outcome.retired == [1])
                    return 0
                }
                return try await tasks.reduce(0, +)
            }
            #expect(uses >= 3)
            #expect(try await versions(house)[1] == nil)
            try await everythingOpens(house, keys)
        }
    }

    @Test func whatSleptThroughARotationCannotSealUnderTheRetiredVersion() async throws {
        try await House.with { house in
            _ = try await fill(house)
            let vault = try await house.folder.vault()
            let sleeper = SecurityGuard(pool: house.pool, vault: vault, logger: quiet)
            try await sleeper.admit()
            _ = try await rotation(house).run(settle: {})
            let accounts = AccountsStore(pool: house.pool, sealer: VaultSealer(vault: vault), trail: house.trail, region: region)
            let create = { try await accounts.createAccessKey(user: "u0", account: customer, by: .commandLine) }
            await #expect(throws: PostgresError.self) { _ = try await create() }
            try await sleeper.note()
            _ = try await create()
            #expect(try await versions(house)[1] == nil)
        }
    }

    @Test func aVersionThatStillSealsSomethingIsNotRetired() async throws {
        try await House.with { house in
            let keys = try await fill(house)
            let rotation = rotation(house)
            let version = try await rotation.begin(try await rotation.prepare())
            let early = await #expect(throws: SecurityError.self) { _ = try await rotation.retire(before: version) }
            #expect(early?.code == .rotation)
            _ = try await rotation.resealAll(under: version)
            // The first process has not heard of the new version yet, and seals under the old one.
            let vault = try await house.folder.vault()
            let accounts = AccountsStore(pool: house.pool, sealer: VaultSealer(vault: vault), trail: house.trail, region: region)
            _ = try await accounts.createAccessKey(user: "u1", account: customer, by: .commandLine)
            await #expect(throws: SecurityError.self) { _ = try await rotation.retire(before: version) }
            #expect(try await states(house) == [.retiring, .current])
            #expect(try await rotation.run(settle: {}).retired == [1])
            try await everythingOpens(house, keys)
        }
    }

    /// Sessions are sealed before a rotation begins, and stored one by one while it sweeps.
    @Test(arguments: [(late: 12, ends: true), (late: 100, ends: false)])
    func aRotationSweepsAgainForThoseWhoStoreLate(late: Int, ends: Bool) async throws {
        try await House.with { house in
            _ = try await fill(house)
            let role = try await house.role("late")
            var prepared: [PreparedSession] = []
            for _ in 0..<late { prepared.append(try await house.accounts.prepareSession()) }
            let request = SessionRequest(role: role, name: "late", seconds: 900)
            let run = {
                try await rotation(house).run(settle: {}) { _ in
                    guard let next = prepared.popLast() else { return }
                    _ = try await house.pool.transaction { try await house.accounts.insert(next, for: request, on: $0) }
                }
            }
            if !ends {
                let refused = await #expect(throws: SecurityError.self) { _ = try await run() }
                #expect(refused?.code == .rotation && !prepared.isEmpty)
                prepared = []
            }
            #expect(try await run().retired == [1])
            #expect(prepared.isEmpty)
            #expect(try await versions(house)[1] == nil)
        }
    }

    @Test func materialsThatNobodyCanOpenDoNotHoldARotationUp() async throws {
        try await House.with { house in
            let keys = try await fill(house)
            // As in a database from before the key's deletion.
            try await house.vault.destroyShredSecret(named: house.arn(keys[0].key).resourceName)
            let outcome = try await rotation(house).run(settle: {})
            #expect(outcome.dead == 1 && outcome.retired == [1])
            #expect(try await versions(house)[1] == 1)
            try await everythingOpens(house, Array(keys.dropFirst()))
        }
    }

    @Test func bytesThatDoNotOpenKeepTheOldVersionOpen() async throws {
        try await House.with { house in
            _ = try await fill(house)
            try await house.pool.execute(
                "UPDATE sessions SET sealed_secret = set_byte(sealed_secret, 40, get_byte(sealed_secret, 40) # 1) WHERE name = 'session-5'"
            )
            await #expect(throws: VaultError.self) { _ = try await rotation(house).run(settle: {}) }
            #expect(try await states(house) == [.retiring, .current])
            try await house.pool.execute("DELETE FROM sessions WHERE name = 'session-5'")
            #expect(try await rotation(house).run(settle: {}).retired == [1])
        }
    }

    @Test func aPreparedVersionIsUsedByTheNextRun() async throws {
        try await House.with { house in
            _ = try await fill(house)
            #expect(try await rotation(house).prepare() == 2)
            #expect(try await rotation(house).prepare() == 2)
            #expect(try await states(house) == [.current])
            #expect(try await versions(house)[2] == nil)
            // A process that starts meanwhile finds both files and seals under the current one.
            let vault = try await house.folder.vault()
            try await SecurityGuard(pool: house.pool, vault: vault, logger: quiet).admit()
            let accounts = AccountsStore(pool: house.pool, sealer: VaultSealer(vault: vault), trail: house.trail, region: region)
            _ = try await accounts.createAccessKey(user: "u0", account: customer, by: .commandLine)
            #expect(try await versions(house)[2] == nil)
            #expect(try await rotation(house).run(settle: {}).version == 2)
        }
    }
}
