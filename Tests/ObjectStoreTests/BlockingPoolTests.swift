import ObjectStore
import Synchronization
import Testing

private final class Gauge: Sendable {
    private let counts = Mutex((now: 0, most: 0))
    var most: Int { counts.withLock { $0.most } }

    func enter() {
        counts.withLock {
            $0.now += 1
            $0.most = max($0.most, $0.now)
        }
    }

    func leave() { counts.withLock { $0.now -= 1 } }
}

@Test func poolRunsEverythingAndNoMoreThanItsWidthAtOnce() async throws {
    let pool = BlockingPool(width: 3)
    let gauge = Gauge()
    let sum = try await withThrowingTaskGroup(of: Int.self) { group in
        for index in 0..<2000 {
            group.addTask {
                try await pool.run {
                    gauge.enter()
                    defer { gauge.leave() }
                    return index
                }
            }
        }
        return try await group.reduce(0, +)
    }
    #expect(sum == 1999 * 1000)
    #expect((1...3).contains(gauge.most))
}
