import Foundation
import Kafka
import Outbox
import Postgres
import PostgresTesting
import ServiceLifecycle
import ServiceTesting
import Telemetry
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable))
struct OutboxRelayTests {
    /// A relay that looks only when woken, so that a test says when.
    private func relay(
        _ pool: PostgresPool, _ publisher: TestPublisher, change: (inout OutboxRelay.Configuration) -> Void = { _ in }
    ) throws -> OutboxRelay {
        var configuration = OutboxRelay.Configuration()
        configuration.sweep = .seconds(3600)
        change(&configuration)
        return try OutboxRelay(pool: pool, publisher: publisher, configuration: configuration, logger: quiet)
    }

    @Test func everyRowIsPublishedOnceAndRemoved() async throws {
        try await TestDatabase.with(migrations: .jobs) { pool in
            let publisher = TestPublisher()
            let relay = try relay(pool, publisher) { $0.batchRows = 7 }
            for index in 0..<50 { try await append("\(index)", topic: "t\(index % 3)", on: pool) }
            try await with(relay) {
                relay.wake()
                try await waitUntilEmpty(pool)
            }
            let expected = (0..<50).map {
                TestPublisher.Sent(topic: "t\($0 % 3)", key: [7], value: Array("\($0)".utf8))
            }
            #expect(publisher.sent.count == 50 && Set(publisher.sent) == Set(expected))
        }
    }

    @Test func aRowIsPublishedWithTheTraceOfTheWorkThatAppendedIt() async throws {
        try await TestDatabase.with(migrations: .jobs) { pool in
            let publisher = TestPublisher()
            let relay = try relay(pool, publisher) { $0.batchRows = 1 }
            let trace = TraceContext()
            try await TraceContext.$current.withValue(trace) { try await append("traced", on: pool) }
            try await append("untraced", on: pool)
            try await with(relay) {
                relay.wake()
                try await waitUntilEmpty(pool)
            }
            #expect(publisher.traces == [trace.text, nil])
        }
    }

    @Test func rowWithoutAKeyIsPublishedWithout() async throws {
        try await TestDatabase.with(migrations: .jobs) { pool in
            let publisher = TestPublisher()
            let relay = try relay(pool, publisher)
            try await pool.transaction { try await Outbox.append(topic: "t", payload: [], on: $0) }
            try await with(relay) {
                relay.wake()
                try await waitUntilEmpty(pool)
            }
            #expect(publisher.sent == [.init(topic: "t", key: nil, value: [])])
        }
    }

    @Test func whatTheRelayDoesNotWaitForIsNotHandedToTheNextBorrowerOfItsSession() async throws {
        try await TestDatabase.with(migrations: .jobs) { pool in
            let rows = OutboxRows(pool: pool)
            try await append("one", on: pool)
            let token = UUID()
            func waitsForTheDisk() async throws -> Bool {
                try await pool.query("SHOW synchronous_commit")[0].get("synchronous_commit", as: String.self) == "on"
            }
            let claimed = try await rows.claim(limit: 10, lease: .seconds(30), token: token).map(\.id)
            #expect(try await waitsForTheDisk())
            #expect(try await rows.release(claimed, token: token, after: .zero) == 1)
            #expect(try await waitsForTheDisk())
            let again = try await rows.claim(limit: 10, lease: .seconds(30), token: token).map(\.id)
            #expect(again == claimed)
            #expect(try await rows.remove(again, token: token) == 1)
            #expect(try await waitsForTheDisk())
        }
    }

    @Test func sweepFindsWhatNobodyWokeFor() async throws {
        try await TestDatabase.with(migrations: .jobs) { pool in
            let publisher = TestPublisher()
            let relay = try relay(pool, publisher) { $0.sweep = .milliseconds(20) }
            try await with(relay) {
                try await append("unannounced", on: pool)
                try await waitUntilEmpty(pool)
            }
            #expect(publisher.sent.count == 1)
        }
    }

    @Test func relaysShareTheRowsAndNoneIsLost() async throws {
        try await TestDatabase.with(migrations: .jobs) { pool in
            let publishers = (0..<3).map { _ in TestPublisher() }
            let relays = try publishers.map { publisher in
                try relay(pool, publisher) {
                    $0.batchRows = 5
                    $0.sweep = .milliseconds(20)
                }
            }
            for index in 0..<200 { try await append("\(index)", on: pool) }
            try await with(relays[0], relays[1], relays[2]) { try await waitUntilEmpty(pool) }
            let sent = publishers.flatMap(\.sent)
            // Nobody's lease ended, so nothing was published twice either.
            #expect(sent.count == 200 && Set(sent).count == 200)
        }
    }

    @Test func messagesThatKafkaDoesNotTakeStayAndGoThroughLater() async throws {
        try await TestDatabase.with(migrations: .jobs) { pool in
            let publisher = TestPublisher()
            publisher.answer(standing: .fail(KafkaError(.connection, "down")))
            let relay = try relay(pool, publisher) { $0.sweep = .milliseconds(20) }
            for index in 0..<10 { try await append("\(index)", on: pool) }
            try await with(relay) {
                try await publisher.waitForSent(10)
                #expect(try await rowCount(pool) == 10)
                publisher.answer(standing: .acknowledge)
                try await waitUntilEmpty(pool)
            }
            #expect(Set(publisher.sent.map(\.value)).count == 10)
        }
    }

    @Test func messageRefusedForGoodHindersNoOther() async throws {
        try await TestDatabase.with(migrations: .jobs) { pool in
            let publisher = TestPublisher()
            // By what it is, not by its turn: on a busy machine its parking may end before the others went.
            publisher.refuse(Array("refused".utf8), with: KafkaError(.messageTooLarge, "too large"))
            let relay = try relay(pool, publisher) { $0.batchRows = 1 }
            for text in ["refused", "second", "third"] { try await append(text, on: pool) }
            try await with(relay) {
                relay.wake()
                try await within("the others gone and it parked") {
                    while true {
                        let rows = try await pool.query(
                            """
                            SELECT payload, claim IS NULL AND claims > 0
                                   AND available_at >= created_at + interval '2 seconds' AS parked
                            FROM outbox
                            """)
                        let left = try rows.map { try $0.get("payload", as: [UInt8].self) }
                        if left == [Array("refused".utf8)], try rows[0].get("parked", as: Bool.self) { return }
                        try #require(left.contains(Array("refused".utf8)), "what is refused is never removed")
                        try await Task.sleep(for: .milliseconds(5))
                    }
                }
            }
            #expect(Set(publisher.sent.map(\.value)) == Set(["refused", "second", "third"].map { Array($0.utf8) }))
        }
    }

    @Test func rowsOfARelayThatDiedAreTakenOverAfterTheLease() async throws {
        try await TestDatabase.with(migrations: .jobs) { pool in
            let dying = TestPublisher()
            dying.answer(standing: .hang)
            let first = try relay(pool, dying) {
                $0.lease = .milliseconds(300)
                $0.publishing = .milliseconds(200)
            }
            try await append("taken over", on: pool)
            // Cancelled in the middle of publishing: nothing is removed and nothing given back.
            try await with(first) {
                first.wake()
                try await dying.waitForSent(1)
            }
            #expect(try await rowCount(pool) == 1)
            let publisher = TestPublisher()
            let second = try relay(pool, publisher) { $0.sweep = .milliseconds(20) }
            try await with(second) { try await waitUntilEmpty(pool) }
            #expect(publisher.sent.count == 1)
        }
    }

    @Test func publisherThatNeverAnswersHoldsABatchNoLongerThanItsLimit() async throws {
        try await TestDatabase.with(migrations: .jobs) { pool in
            let publisher = TestPublisher()
            publisher.answer([.hang])
            let relay = try relay(pool, publisher) {
                $0.publishing = .seconds(1)
                $0.sweep = .milliseconds(20)
            }
            try await append("hangs once", on: pool)
            try await with(relay) { try await waitUntilEmpty(pool) }
            // Once more after the limit; and again where the second time fell behind it.
            #expect(publisher.sent.count >= 2)
        }
    }

    @Test(arguments: [(4, false), (5, true), (6, true)])
    func outboxIsFullAtItsBound(rows: Int, full: Bool) async throws {
        try await TestDatabase.with(migrations: .jobs) { pool in
            let publisher = TestPublisher()
            publisher.answer(standing: .fail(KafkaError(.connection, "down")))
            let relay = try relay(pool, publisher) {
                $0.rowsWhenFull = 5
                $0.sweep = .milliseconds(20)
            }
            for index in 0..<rows { try await append("\(index)", on: pool) }
            await relay.look()
            #expect(relay.isFull == full)
            try await with(relay) {
                try await publisher.waitForSent(rows * 2)
                await relay.look()
                #expect(relay.isFull == full)
                publisher.answer(standing: .acknowledge)
                try await waitUntilEmpty(pool)
                try await within("room again") {
                    while relay.isFull { try await Task.sleep(for: .milliseconds(5)) }
                }
            }
        }
    }

    /// Rows that another relay has claimed, or that wait for their next try, take room as well.
    @Test func outboxIsFullThoughNothingOfItIsDue() async throws {
        try await TestDatabase.with(migrations: .jobs) { pool in
            let publisher = TestPublisher()
            let relay = try relay(pool, publisher) {
                $0.rowsWhenFull = 5
                $0.sweep = .milliseconds(20)
            }
            for index in 0..<5 { try await append("\(index)", on: pool) }
            let rows = OutboxRows(pool: pool)
            #expect(try await rows.claim(limit: 3, lease: .seconds(3600), token: UUID()).count == 3)
            try await pool.execute("UPDATE outbox SET available_at = now() + interval '1 h' WHERE claim IS NULL")
            @Sendable func reaches(_ full: Bool) async throws {
                try await within(full ? "a full outbox" : "room again") {
                    while relay.isFull != full { try await Task.sleep(for: .milliseconds(5)) }
                }
            }
            try await with(relay) {
                try await reaches(true)
                // One more look at nothing that is due does not make it forget.
                try await append("due", on: pool)
                relay.wake()
                try await publisher.waitForSent(1)
                await relay.look()
                #expect(relay.isFull)
                try await pool.execute("DELETE FROM outbox WHERE claim IS NULL")
                try await reaches(false)
            }
            #expect(publisher.sent.map(\.value) == [Array("due".utf8)])
        }
    }

    @Test func configurationIsChecked() throws {
        var configuration = OutboxRelay.Configuration()
        #expect(throws: Never.self) { try configuration.validate() }
        configuration.publishing = configuration.lease
        let error = #expect(throws: OutboxError.self) { try configuration.validate() }
        #expect(error?.message.contains("publishing") == true)
    }
}

@Test func relayPausesLongerAfterEachFailureAndNotAtAllAfterSuccess() {
    let start = ContinuousClock.now
    var pacing = RelayPacing()
    #expect(pacing.mayTry(at: start))
    var pauses: [Duration] = []
    for _ in 0..<12 {
        pacing.failed(at: start, fraction: 1)
        let pause = (0...600).map { Duration.milliseconds($0 * 10) }.first { pacing.mayTry(at: start + $0) }
        pauses.append(pause ?? .zero)
    }
    #expect(pauses.first == RelayPacing.shortestPause && pauses.last == RelayPacing.longestPause)
    #expect(pauses == pauses.sorted())
    pacing.succeeded()
    #expect(pacing.mayTry(at: start))
}
