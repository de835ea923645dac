import Freshness
import Synchronization

/// A board with a clock that stands until it is told to go on.
final class Clock: Sendable {
    private let passed = Mutex(Duration.zero)
    private let start = ContinuousClock.now
    var now: ContinuousClock.Instant { start + passed.withLock { $0 } }
    func pass(_ duration: Duration) { passed.withLock { $0 += duration } }

    /// Has heard something just now.
    var board: CacheBoard {
        let board = CacheBoard(now: { self.now })
        board.heard()
        return board
    }
}

/// Runs `body` as a request does; `prove` is what its record does at the end.
func request<R: Sendable>(
    _ board: CacheBoard, proving versions: ScopeVersions? = [:], _ body: @Sendable () throws -> R
) async throws -> R {
    try await board.deciding {
        let result = try body()
        if let reliance = Reliance.current, let versions { _ = reliance.prove(by: versions) }
        return result
    }
}
