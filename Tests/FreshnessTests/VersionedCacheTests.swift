import Freshness
import Synchronization
import Testing

@Suite struct VersionedCacheTests {
    private let clock = Clock()
    private let versions: ScopeVersions = [.key("k"): 3, .everything: 0]

    /// Runs `body` with a request at hand.
    private func reading<R: Sendable>(_ board: CacheBoard, _ body: @escaping @Sendable () -> R) async -> R {
        let result = Mutex<R?>(nil)
        await board.deciding {
            if Reliance.current != nil || !board.isTrusted { result.withLock { $0 = $0 ?? body() } }
        }
        return result.withLock { $0! }
    }

    @Test func aValueIsFoundWhileItsScopeIsNotForgotten() async {
        let board = clock.board
        let cache = VersionedCache<String, Int>(board: board, maximumEntries: 4)
        await reading(board) { [versions] in
            cache.keep(1, for: "a", under: versions)
            cache.keep(2, for: "b", under: [.key("other"): 1, .everything: 0])
        }
        #expect(await reading(board) { cache.value("a") } == 1)
        board.forget(.key("k"))
        #expect(await reading(board) { cache.value("a") } == nil)
        #expect(await reading(board) { cache.value("b") } == 2)
        board.forget(.everything)
        #expect(cache.count == 0)
    }

    @Test func nothingIsFoundOrKeptWithoutARequestThatCouldBeDecidedAnew() async {
        let board = clock.board
        let cache = VersionedCache<String, Int>(board: board, maximumEntries: 4)
        cache.keep(1, for: "a", under: versions)
        #expect(cache.count == 0)
        await reading(board) { [versions] in cache.keep(1, for: "a", under: versions) }
        #expect(cache.count == 1)
        #expect(cache.value("a") == nil)
    }

    @Test func silenceEndsTrustAndForgets() async {
        let board = clock.board
        let cache = VersionedCache<String, Int>(board: board, maximumEntries: 4)
        await reading(board) { [versions] in cache.keep(1, for: "a", under: versions) }
        clock.pass(CacheBoard.trustPeriod - .milliseconds(1))
        board.forgetIfSilent()
        #expect(board.isTrusted && cache.count == 1)
        clock.pass(.milliseconds(1))
        #expect(!board.isTrusted)
        #expect(await reading(board) { cache.value("a") } == nil)
        board.forgetIfSilent()
        #expect(cache.count == 0)
        board.heard()
        #expect(board.isTrusted)
    }

    @Test func anEntryEndsAtItsTime() async {
        let board = clock.board
        let cache = VersionedCache<String, Int>(board: board, maximumEntries: 4)
        let until = clock.now + .seconds(1)
        await reading(board) { [versions] in cache.keep(1, for: "a", under: versions, until: until) }
        #expect(await reading(board) { cache.value("a") } == 1)
        clock.pass(.seconds(1))
        #expect(await reading(board) { cache.value("a") } == nil)
        #expect(cache.count == 0)
    }

    @Test(arguments: [3, 4, 5]) func theBoundHolds(entries: Int) async {
        let board = clock.board
        let cache = VersionedCache<Int, Int>(board: board, maximumEntries: 4)
        await reading(board) { [versions] in
            for key in 0..<entries { cache.keep(key, for: key, under: versions) }
        }
        #expect(cache.count == min(entries, 4))
        // The newest is always there, and forgetting reaches every one that is left.
        #expect(await reading(board) { cache.value(entries - 1) } == entries - 1)
        board.forget(.key("k"))
        #expect(cache.count == 0)
    }

    @Test func whatIsForgottenIsLetGoOf() async {
        final class Thing: Sendable {}
        let board = clock.board
        let cache = VersionedCache<String, Thing>(board: board, maximumEntries: 1)
        weak var first: Thing?
        await reading(board) { [versions] in cache.keep(Thing(), for: "a", under: versions) }
        first = await reading(board) { cache.value("a") }
        #expect(first != nil)
        await reading(board) { [versions] in cache.keep(Thing(), for: "b", under: versions) }
        #expect(first == nil)
    }
}
