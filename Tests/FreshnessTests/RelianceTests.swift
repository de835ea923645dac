import Freshness
import Synchronization
import Testing

@Suite struct RelianceTests {
    private let clock = Clock()
    private struct Fault: Error {}

    /// A cache that holds 1 under version 3.
    private func cache(_ board: CacheBoard) async throws -> VersionedCache<String, Int> {
        let cache = VersionedCache<String, Int>(board: board, maximumEntries: 4)
        try await request(board, proving: [.key("k"): 3]) { cache.keep(1, for: "a", under: [.key("k"): 3]) }
        return cache
    }

    @Test func aProvenRequestRunsOnce() async throws {
        let board = clock.board
        let cache = try await cache(board)
        let runs = Mutex(0)
        let value = try await request(board, proving: [.key("k"): 3]) {
            runs.withLock { $0 += 1 }
            return cache.value("a")
        }
        #expect(value == 1 && runs.withLock { $0 } == 1)
    }

    @Test func aRefutedRequestRunsAgainWithoutCachesAndTheEntryIsForgotten() async throws {
        let board = clock.board
        let cache = try await cache(board)
        let seen = Mutex<[Int?]>([])
        let value = try await request(board, proving: [.key("k"): 4]) {
            let value = cache.value("a")
            seen.withLock { $0.append(value) }
            return value
        }
        #expect(value == nil && seen.withLock { $0 } == [1, nil])
        #expect(cache.count == 0)
    }

    @Test func aRequestThatWasNotRecordedRunsAgainWithoutCaches() async throws {
        let board = clock.board
        let cache = try await cache(board)
        #expect(try await request(board, proving: nil) { cache.value("a") } == nil)
        #expect(try await request(board, proving: nil) { 7 } == 7)
    }

    @Test func aFaultIsNotTriedAgainUnlessWhatItReliedOnWasOutdated() async throws {
        let board = clock.board
        let cache = try await cache(board)
        let runs = Mutex(0)
        func fail(proving versions: ScopeVersions?) async {
            runs.withLock { $0 = 0 }
            await #expect(throws: Fault.self) {
                try await board.deciding(isFault: { _ in true }) {
                    runs.withLock { $0 += 1 }
                    _ = cache.value("a")
                    if let versions { _ = Reliance.current?.prove(by: versions) }
                    throw Fault()
                }
            }
        }
        await fail(proving: nil)
        #expect(runs.withLock { $0 } == 1)
        await fail(proving: [.key("k"): 4])
        #expect(runs.withLock { $0 } == 2)
    }

    @Test func twoVersionsOfOneScopeInOneDecisionProveNothing() async throws {
        let board = clock.board
        let cache = try await cache(board)
        let runs = Mutex(0)
        _ = try await request(board, proving: [.key("k"): 4]) {
            runs.withLock { $0 += 1 }
            _ = cache.value("a")
            // Another entry, read later.
            cache.keep(2, for: "b", under: [.key("k"): 4])
        }
        #expect(runs.withLock { $0 } == 2)
    }

    @Test func whatIsProvenStaysProven() async throws {
        let board = clock.board
        let cache = try await cache(board)
        let runs = Mutex(0)
        _ = try await request(board, proving: [.key("k"): 9]) {
            runs.withLock { $0 += 1 }
            _ = cache.value("a")
            #expect(Reliance.current?.prove(by: [.key("k"): 3]) ?? true)
        }
        #expect(runs.withLock { $0 } == 1)
    }

    @Test func withoutTrustARequestRunsOnceAndWithoutCaches() async throws {
        let board = CacheBoard(now: { [clock] in clock.now })
        let hasReliance = try await request(board) { Reliance.current != nil }
        #expect(!hasReliance)
    }
}
