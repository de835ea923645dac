import Foundation
import Outbox
import Postgres
import PostgresTesting
import Testing

@Suite struct OutboxEntryStateMachineTests {
    let start = Date(timeIntervalSince1970: 1_000_000)
    let one = UUID()
    let other = UUID()

    @Test func onlyWhoHasTheClaimRemoves() {
        var entry = OutboxEntryStateMachine(availableAt: start)
        #expect(entry.claimed(at: start - 1, lease: 30, token: one) == false)
        #expect(entry.claimed(at: start, lease: 30, token: one) == true)
        #expect(entry.claimed(at: start + 29, lease: 30, token: other) == false)
        #expect(entry.acknowledged(by: other) == false)
        #expect(entry.claimed(at: start + 30, lease: 30, token: other) == true)
        #expect(entry.acknowledged(by: one) == false)
        #expect(entry.givenBack(by: one, at: start + 31, pause: 0) == false)
        #expect(entry.acknowledged(by: other) == true)
        #expect(entry.isRemoved && entry.claims == 2)
        #expect(entry.claimed(at: start + 99, lease: 30, token: one) == false)
        #expect(entry.acknowledged(by: other) == false)
    }

    @Test func whatIsGivenBackIsDueAfterItsPause() {
        var entry = OutboxEntryStateMachine(availableAt: start)
        #expect(entry.claimed(at: start, lease: 30, token: one) == true)
        #expect(entry.givenBack(by: one, at: start, pause: 4) == true)
        #expect(entry.acknowledged(by: one) == false, "the claim is gone with it")
        #expect(entry.claimed(at: start + 3, lease: 30, token: one) == false)
        #expect(entry.claimed(at: start + 4, lease: 30, token: one) == true)
    }

    @Test func nothingIsRemovedWithoutAnAcknowledgement() {
        for claims in [0, 1, 2, 5, 10, 1_000_000] {
            #expect(PublishAnswer.acknowledged.consequence(claims: claims) == .remove)
            #expect(PublishAnswer.notThrough.consequence(claims: claims) == .giveBack(after: .zero))
        }
        let pauses = (1...20).map { PublishAnswer.refusedForGood.consequence(claims: $0) }
        #expect(pauses.first == .giveBack(after: .seconds(2)))
        #expect(pauses[8...].allSatisfy { $0 == .giveBack(after: PublishAnswer.longestParking) })
    }
}

/// The statements against the machine, step by step, over the same random orders of claims, answers and passing time.
@Suite(.enabled(if: TestDatabase.isAvailable)) struct OutboxStatementTests {
    @Test func statementsDoWhatTheMachineDecides() async throws {
        try await TestDatabase.with(migrations: .jobs) { pool in
            let rows = OutboxRows(pool: pool)
            let tokens = (0..<2).map { _ in UUID() }
            var generator = SystemRandomNumberGenerator()
            for _ in 0..<12 {
                try await append("entry", on: pool)
                let id = try await pool.query("SELECT id FROM outbox")[0].get("id", as: Int.self)
                let start = Date(timeIntervalSince1970: 0)
                var now = start
                var machine = OutboxEntryStateMachine(availableAt: start)
                var steps: [String] = []
                for _ in 0..<12 {
                    let token = Bool.random(using: &generator) ? tokens[0] : tokens[1]
                    switch Int.random(in: 0..<6, using: &generator) {
                    case 0, 1:
                        steps.append("claim")
                        let claimed = try await rows.claim(limit: 10, lease: .seconds(3600), token: token)
                        let expected = machine.claimed(at: now, lease: 3600, token: token)
                        #expect(claimed.map(\.id) == (expected ? [id] : []), "\(steps)")
                        if let row = claimed.first { #expect(row.claims == machine.claims) }
                    case 2:
                        steps.append("acknowledge")
                        let removed = try await rows.remove([id], token: token)
                        let expected = machine.acknowledged(by: token)
                        #expect(removed == (expected ? 1 : 0), "\(steps)")
                    case 3:
                        steps.append("give back")
                        let released = try await rows.release([id], token: token, after: .seconds(1800))
                        let expected = machine.givenBack(by: token, at: now, pause: 1800)
                        #expect(released == (expected ? 1 : 0), "\(steps)")
                    default:
                        steps.append("wait")
                        // As if half an hour and a little had passed: longer than the test can take on any machine.
                        now += 1801
                        try await pool.execute("UPDATE outbox SET available_at = available_at - interval '1801 seconds'")
                    }
                    #expect(try await rowCount(pool) == (machine.isRemoved ? 0 : 1), "\(steps)")
                }
                try await pool.execute("DELETE FROM outbox")
            }
        }
    }
}
