import Freshness
import Logging
import Postgres
import PostgresTesting
import ServiceTesting
import Synchronization
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct ChangeAnnouncerTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// One authority process, as far as caches go.
    private struct House: Sendable {
        let board = CacheBoard()
        let cache: VersionedCache<String, Int>
        let announcer: ChangeAnnouncer
        let relayed = Mutexed<Set<Scope>>([])

        init(_ pool: PostgresPool) {
            cache = VersionedCache(board: board, maximumEntries: 8)
            announcer = ChangeAnnouncer(pool: pool, board: board, logger: ChangeAnnouncerTests.quiet) { [relayed] scopes in
                relayed.value.withLock { $0.formUnion(scopes) }
            }
        }

        func keep(_ scope: Scope) async {
            await board.deciding { cache.keep(1, for: scope.name, under: [scope: 1, .everything: 0]) }
        }
    }

    private final class Mutexed<Value: Sendable>: Sendable {
        let value: Mutex<Value>
        init(_ value: Value) { self.value = Mutex(value) }
    }

    private static func until(_ what: String, _ isSo: @escaping @Sendable () -> Bool) async throws {
        try await within(what) { while !isSo() { try await Task.sleep(for: .milliseconds(5)) } }
    }

    @Test func aChangeHereIsForgottenThere() async throws {
        try await TestDatabase.withDatabase(migrations: .authority) { database in
            let other = database.anotherPool()
            defer { other.close() }
            let (here, there) = (House(database.pool), House(other))
            try await with(here.announcer, there.announcer) {
                try await Self.until("both to hear") { here.board.isTrusted && there.board.isTrusted }
                for house in [here, there] {
                    await house.keep(.key("k"))
                    await house.keep(.account("123456789012"))
                }
                try await Self.until("the caches to be filled") { here.cache.count == 2 && there.cache.count == 2 }
                here.board.changed(.key("k"))
                #expect(here.cache.count == 1)
                try await Self.until("the announcement") { there.cache.count == 1 }
                try await Self.until("the relay") { here.relayed.value.withLock { $0 } == [.key("k")] }
                #expect(there.relayed.value.withLock { $0 }.isEmpty)
            }
            #expect(here.cache.count == 0 && there.cache.count == 0)
        }
    }

    @Test func aBrokenChannelForgetsEverythingAndIsMended() async throws {
        try await TestDatabase.withDatabase(migrations: .authority) { database in
            let house = House(database.pool)
            let name = database.name
            try await with(house.announcer) {
                try await Self.until("the channel") { house.board.isTrusted }
                await house.keep(.key("k"))
                #expect(house.cache.count == 1)
                let other = database.anotherPool()
                defer { other.close() }
                try await other.query(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = \(name)::name AND query LIKE 'LISTEN%' AND pid <> pg_backend_pid()
                    """)
                try await Self.until("everything to be forgotten") { house.cache.count == 0 }
                try await Self.until("trust again") { house.board.isTrusted }
            }
        }
    }
}
