import AWSProtocol
import Accounts
import AuditTrail
import FoundationEssentials
import Freshness
import Keys
import Policies
import Postgres
import PostgresTesting
import ServiceTesting
import Synchronization
import Testing

/// Two authority processes over one database and one vault: changes are made at the house's, keys are used at the other, whose
/// caches hear nothing of it. What stops a use is the version that its record proves.
private struct Other: Sendable {
    let board: CacheBoard
    let accounts: AccountsStore
    let trail: AuditTrail
    let keys: KeyService
    let clock = Mutexed(ContinuousClock.now)

    final class Mutexed: Sendable {
        let value: Mutex<ContinuousClock.Instant>
        init(_ value: ContinuousClock.Instant) { self.value = Mutex(value) }
    }

    init(_ house: House, pool: PostgresPool) async throws {
        board = CacheBoard(now: { [clock] in clock.value.withLock { $0 } })
        let vault = try await house.folder.vault()
        trail = try await AuditTrail.open(pool: pool, logger: quiet)
        accounts = AccountsStore(pool: pool, sealer: VaultSealer(vault: vault), trail: trail, region: region, board: board)
        keys = try KeyService(
            pool: pool, accounts: accounts, trail: trail, vault: vault, identity: service, board: board, logger: quiet)
        board.heard()
    }

    /// Decrypts as a request at that process does.
    func decrypt(_ house: House, _ principal: Principal, _ blob: [UInt8]) async -> KeyError.Code? {
        await refusal {
            try await board.deciding {
                _ = try await keys.decrypt(house.call(principal, .decrypt), ciphertext: blob, key: nil, use: KeyUse())
            }
        }
    }
}

@Suite(.enabled(if: TestDatabase.isAvailable)) struct SeveralProcessesTests {
    /// A worker that may use the key through a grant alone, and a blob it has decrypted at the other process.
    private struct Scene: Sendable {
        let house: House
        let other: Other
        let admin: Principal
        let worker: Principal
        let key: KeyReference
        let grant: CreatedGrant
        let blob: [UInt8]

        func use() async -> KeyError.Code? { await other.decrypt(house, worker, blob) }
    }

    private nonisolated(nonsending) func withScene(_ body: (Scene) async throws -> Void) async throws {
        try await House.with { house in
            let pool = PostgresPool(configuration: house.pool.configuration, logger: quiet)
            defer { pool.close() }
            let other = try await Other(house, pool: pool)
            let admin = try await house.admin
            let worker = try await house.user("worker")
            let key = try await house.createKey()
            let grant = try await house.grant(admin, key, to: worker.arn, [.decrypt])
            let blob = try await house.encrypt(admin, key)
            let scene = Scene(
                house: house, other: other, admin: admin, worker: worker, key: key, grant: grant, blob: blob)
            // Twice: from the database, then from the caches.
            #expect(await scene.use() == nil)
            #expect(await scene.use() == nil)
            try await body(scene)
        }
    }

    private struct Act: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let refusal: KeyError.Code
        let run: @Sendable (Scene) async throws -> Void
    }

    private static let acts: [Act] = [
        Act(testDescription: "RevokeGrant", refusal: .accessDenied) {
            try await $0.house.keys.revokeGrant(
                $0.house.call($0.admin, .revokeGrant), key: $0.key, grantID: $0.grant.id, isDryRun: false)
        },
        Act(testDescription: "RetireGrant", refusal: .accessDenied) {
            try await $0.house.keys.retireGrant($0.house.call($0.admin, .retireGrant), .token($0.grant.token), isDryRun: false)
        },
        Act(testDescription: "DisableKey", refusal: .disabled) {
            try await $0.house.keys.disableKey($0.house.call($0.admin, .disableKey), key: $0.key)
        },
        Act(testDescription: "ScheduleKeyDeletion", refusal: .invalidState) {
            _ = try await $0.house.keys.scheduleKeyDeletion(
                $0.house.call($0.admin, .scheduleKeyDeletion), key: $0.key, windowDays: 7)
        },
        Act(testDescription: "PutKeyPolicy with a Deny", refusal: .accessDenied) {
            let policy = """
                {"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"},
                {"Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*"}]}
                """
            try await $0.house.keys.putKeyPolicy(
                $0.house.call($0.admin, .putKeyPolicy), key: $0.key, name: "default", policy: policy, bypassesLockoutCheck: false)
        },
        Act(testDescription: "PutUserPolicy with a Deny", refusal: .accessDenied) {
            try await $0.house.accounts.putPolicy(
                "no", document: #"{"Statement":{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"}}"#, of: .user("worker"),
                account: customer, by: .commandLine)
        },
    ]

    @Test(arguments: acts) private func whatIsWithdrawnAtOneProcessIsRefusedByTheNextCallAtAnother(act: Act) async throws {
        try await withScene { scene in
            try await act.run(scene)
            #expect(await scene.use() == act.refusal)
        }
    }

    @Test func whatIsAllowedAtOneProcessIsAllowedByTheNextCallAtAnother() async throws {
        try await withScene { scene in
            let late = try await scene.house.user("late")
            // Refused from what is then kept: that nobody granted anything.
            #expect(await scene.other.decrypt(scene.house, late, scene.blob) == .accessDenied)
            #expect(await scene.other.decrypt(scene.house, late, scene.blob) == .accessDenied)
            _ = try await scene.house.grant(scene.admin, scene.key, to: late.arn, [.decrypt])
            #expect(await scene.other.decrypt(scene.house, late, scene.blob) == nil)
        }
    }

    /// The proof that these tests look at caches at all: with the triggers off, nothing counts the change.
    @Test func aChangeThatIsNotCountedGoesUnseen() async throws {
        try await withScene { scene in
            try await scene.house.pool.transaction { connection in
                try await connection.execute("SET LOCAL session_replication_role = replica")
                try await connection.execute("DELETE FROM key_grants")
            }
            #expect(await scene.use() == nil)
            // Until the channel falls silent.
            scene.other.clock.value.withLock { $0 += CacheBoard.trustPeriod }
            #expect(await scene.use() == .accessDenied)
        }
    }

    @Test func aRevocationBetweenDecisionAndRecordIsSeen() async throws {
        try await withScene { scene in
            let pool = scene.house.pool
            let shard = scene.other.trail.shard
            // Holds the head on which the use's record waits, with the decision already made.
            let outcome = try await pool.transaction { connection in
                try await connection.query("SELECT 1 FROM audit_shards WHERE shard = \(shard) FOR UPDATE")
                let using = Task { await scene.use() }
                try await within("the use to wait for its record") {
                    while try await pool.query(
                        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
                    ).isEmpty { try await Task.sleep(for: .milliseconds(5)) }
                }
                try await scene.house.keys.revokeGrant(
                    scene.house.call(scene.admin, .revokeGrant), key: scene.key, grantID: scene.grant.id, isDryRun: false)
                return using
            }.value
            #expect(outcome == .accessDenied)
            let decrypts = try await scene.house.events(named: "Decrypt")
            #expect(decrypts.filter { $0["errorCode"] == nil }.count == 2)
            #expect(decrypts.filter { $0["errorCode"] == "AccessDenied" }.count == 1)
        }
    }

    @Test func aDeletedKeyIsOfNoUseAnywhere() async throws {
        try await withScene { scene in
            let house = scene.house
            _ = try await house.keys.scheduleKeyDeletion(
                house.call(scene.admin, .scheduleKeyDeletion), key: scene.key, windowDays: 7)
            #expect(try await house.keys.destroyDueKeys(now: Date().addingTimeInterval(8 * 86_400)) == 1)
            #expect(await scene.use() == .accessDenied)
        }
    }

    @Test func aShredSecretThatSomebodyRemovedEndsUseWithinTheMaterialsLifetime() async throws {
        try await withScene { scene in
            let file = scene.house.folder.path + "/vault/\(scene.house.arn(scene.key).resourceName).shred"
            try FileManager.default.removeItem(atPath: file)
            #expect(await scene.use() == nil)
            scene.other.clock.value.withLock { $0 += KeyService.materialLifetime }
            scene.other.board.heard()
            #expect(await scene.use() == .invalidState)
        }
    }

    @Test func manyUsesAndOneRevocationLeaveNoUseAfterItInItsShard() async throws {
        try await withScene { scene in
            // The same process this time: its shard has one order for uses and revocation.
            let keys = scene.other.keys
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask { while await scene.use() == nil {} }
                }
                group.addTask {
                    try await keys.revokeGrant(
                        scene.house.call(scene.admin, .revokeGrant), key: scene.key, grantID: scene.grant.id, isDryRun: false)
                }
                try await group.waitForAll()
            }
            let rows = try await scene.house.pool.query(
                """
                SELECT event_name, record LIKE '%"errorCode"%' AS is_refused FROM audit_records
                WHERE shard = \(scene.other.trail.shard) ORDER BY sequence
                """)
            let events = try rows.map { (try $0.get("event_name", as: String.self), try $0.get("is_refused", as: Bool.self)) }
            let revocation = try #require(events.firstIndex { $0.0 == "RevokeGrant" })
            #expect(events[revocation...].allSatisfy { $0.0 == "RevokeGrant" || $0.1 })
            #expect(events[..<revocation].allSatisfy { !$0.1 })
        }
    }
}
