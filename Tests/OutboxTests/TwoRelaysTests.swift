import Foundation
import Kafka
import Outbox
import Postgres
import PostgresTesting
import ServiceTesting
import Testing

/// Several relays at once: nothing is lost, whatever becomes of one of them. No order is promised.
@Suite(.enabled(if: TestDatabase.isAvailable))
struct TwoRelaysTests {
    private func relay(_ pool: PostgresPool, _ publisher: TestPublisher, lease: Duration = .seconds(30)) throws -> OutboxRelay {
        var configuration = OutboxRelay.Configuration()
        configuration.sweep = .milliseconds(20)
        configuration.batchRows = 10
        configuration.lease = lease
        configuration.publishing = lease / 2
        return try OutboxRelay(pool: pool, publisher: publisher, configuration: configuration, logger: quiet)
    }

    @Test func whatOneHoldsWhenItHangsTheOtherPublishesAfterTheLease() async throws {
        try await TestDatabase.with(migrations: .jobs) { pool in
            let (hanging, healthy) = (TestPublisher(), TestPublisher())
            hanging.answer(standing: .hang)
            for index in 0..<40 { try await append("\(index)", on: pool) }
            try await with(try relay(pool, hanging, lease: .seconds(2))) {
                // It has a batch in its hands.
                try await hanging.waitForSent(10)
                try await with(try relay(pool, healthy)) { try await waitUntilEmpty(pool) }
            }
            #expect(Set(healthy.sent.map(\.value)) == Set((0..<40).map { Array("\($0)".utf8) }))
        }
    }

    @Test func relaysAtWorkWhileRowsComeInShareThemWithoutLoss() async throws {
        try await TestDatabase.with(migrations: .jobs) { pool in
            let publishers = [TestPublisher(), TestPublisher()]
            let relays = try publishers.map { try relay(pool, $0) }
            try await with(relays[0], relays[1]) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for writer in 0..<4 {
                        group.addTask { for index in 0..<50 { try await append("\(writer)/\(index)", on: pool) } }
                    }
                    try await group.waitForAll()
                }
                for relay in relays { relay.wake() }
                try await waitUntilEmpty(pool)
            }
            let sent = publishers.flatMap(\.sent)
            #expect(sent.count == 200 && Set(sent).count == 200)
        }
    }
}
