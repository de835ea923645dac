import Postgres
import Testing

struct StatementCacheTests {
    private func key(_ sql: String, _ types: [UInt32] = []) -> StatementCache.Key { .init(sql: sql, types: types) }

    @Test func statementIsPreparedWhenSeenTwice() {
        var cache = StatementCache()
        #expect(cache.plan(for: key("a")) == .unprepared)
        #expect(cache.plan(for: key("a")) == .prepare(name: "s1", evicting: nil))
        cache.didPrepare(key("a"), name: "s1")
        #expect(cache.plan(for: key("a")) == .prepared(name: "s1"))
    }

    @Test func sameTextWithOtherTypesIsAnotherStatement() {
        var cache = StatementCache()
        _ = cache.plan(for: key("a", [20]))
        #expect(cache.plan(for: key("a", [25])) == .unprepared)
    }

    @Test func preparationThatFailedIsTriedAgain() {
        var cache = StatementCache()
        _ = cache.plan(for: key("a"))
        _ = cache.plan(for: key("a"))
        #expect(cache.plan(for: key("a")) == .prepare(name: "s2", evicting: nil))
    }

    @Test(arguments: [(2, false), (3, false), (4, true)])
    func leastRecentlyUsedMakesRoomBeyondTheCapacity(statements: Int, evicts: Bool) {
        var cache = StatementCache(capacity: 3)
        for number in 0..<statements {
            let key = key("q\(number)")
            _ = cache.plan(for: key)
            if case .prepare(let name, let evicted) = cache.plan(for: key) {
                #expect(evicted == (number == 3 ? "s1" : nil))
                cache.didPrepare(key, name: name)
            }
        }
        #expect(cache.count == min(statements, 3))
        #expect((cache.plan(for: key("q0")) == .unprepared) == evicts)
    }

    @Test func forgottenStatementIsDeallocatedUnlessTheServerLostIt() {
        for isKnown in [true, false] {
            var cache = StatementCache()
            _ = cache.plan(for: key("a"))
            _ = cache.plan(for: key("a"))
            cache.didPrepare(key("a"), name: "s1")
            cache.forget(key("a"), isKnownToServer: isKnown)
            #expect(cache.plan(for: key("a")) == .unprepared)
            #expect(cache.plan(for: key("a")) == .prepare(name: "s2", evicting: isKnown ? "s1" : nil))
        }
    }
}
