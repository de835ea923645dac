import Postgres
import Testing

struct BackoffTests {
    private let backoff = Backoff(first: .milliseconds(100), cap: .seconds(1))

    @Test func noFailureNoDelay() { #expect(backoff.delay(afterFailures: 0, fraction: 0.9) == .zero) }

    @Test(arguments: [(1, 50), (2, 100), (3, 200), (4, 400), (5, 500), (1000, 500)])
    func delaysDoubleUpToTheCap(failures: Int, leastMilliseconds: Int) {
        #expect(backoff.delay(afterFailures: failures, fraction: 0) == .milliseconds(leastMilliseconds))
        #expect(backoff.delay(afterFailures: failures, fraction: 0.5) == .milliseconds(leastMilliseconds * 3 / 2))
    }
}
