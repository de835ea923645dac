import Foundation
import Jobs
import Postgres
import PostgresTesting
import Synchronization
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct LeadershipTests {
    private func depose(_ world: TestWorld) async throws {
        try await world.pool.execute("UPDATE leadership SET until = now() - interval '1 s'")
    }

    @Test func oneLeadsAndItsTermIsRenewed() async throws {
        try await TestWorld.with { world in
            let (one, other) = (world.sweeper("one"), world.sweeper("other"))
            let term = try #require(await one.campaign())
            #expect(try await other.campaign() == nil)
            #expect(try await one.campaign()?.number == term.number)
            try await depose(world)
            #expect(try await other.campaign()?.number == term.number + 1)
            #expect(try await one.campaign() == nil)
        }
    }

    @Test func aLeaderThatWasPausedPastItsOwnTermHasANewOne() async throws {
        try await TestWorld.with { world in
            let term = try #require(await world.sweeper.campaign())
            try await depose(world)
            #expect(try await world.sweeper.campaign()?.number == term.number + 1)
        }
    }

    /// Case 14: the leader is stopped, another is elected, the first one wakes and goes on where it was.
    @Test func theSweepOfAnOldLeaderChangesNothing() async throws {
        try await TestWorld.with({ ($0.lossesMax, $0.historyAfter, $0.uploadTimeout) = (1, .zero, .zero) }) { world in
            let finished = try await world.accept()
            try await world.running([try world.worker(ScriptedHandler(world))]) { try await world.ended(finished) }
            let exhausted = try await world.accept()
            #expect(try await world.store.claim([(.import, 1)], limit: 1, worker: "doomed").count == 1)
            try await world.expireLeases()
            _ = try await world.accept(.train)
            try await world.pool.execute("UPDATE job_task SET not_before = now() - interval '1 h' WHERE state = 'ready'")
            try await world.pool.execute("DELETE FROM outbox")
            try await world.pool.execute(
                """
                INSERT INTO job_grant (name, owner, artifact, key_arn, grantee, operations, encryption_context, expires_at,
                                       state, grant_id, recorded_at)
                VALUES ('read/p/a', 'p', 'a', 'k', 'g', '{Decrypt}', '{}', now() - interval '1 h', 'active', 'g1', now())
                """)
            try await world.pool.execute(
                "UPDATE job_object SET state = 'garbage', collect_after = now() - interval '1 s' WHERE job = \(finished)")

            let paused = world.sweeper("paused")
            let old = try #require(await paused.campaign())
            try await depose(world)
            let leader = world.sweeper("leader")
            let new = try #require(await leader.campaign())
            func state() async throws -> [String] {
                try await ["job", "job_task", "job_grant", "job_object", "job_history", "outbox", "job_ring"].asyncMap { table in
                    try await world.pool.query(
                        "SELECT coalesce(string_agg(md5(t::text), ',' ORDER BY t::text), '') AS s FROM \(raw: table) AS t")[0]
                        .get("s")
                }
            }
            let before = try await state()
            await paused.sweep(old)
            #expect(try await state() == before)
            await leader.sweep(new)
            #expect(try await state() != before)
            #expect(try await world.engine.job(exhausted)?.state == .failing)
            #expect(try await world.count("SELECT count(*) FROM job WHERE id = \(finished)") == 0)
            #expect(try await world.count("SELECT count(*) FROM outbox WHERE topic LIKE '%.train'") == 1)
            #expect(try await world.count("SELECT count(*) FROM job_grant WHERE name = 'read/p/a' AND state = 'active'") == 0)
        }
    }

    /// It lost its term while KMS was retiring for it: what came of that is the new leader's to record.
    @Test(arguments: [RetireOutcome.retired, .denied("no")])
    func whatCameOfRetiringIsRecordedUnderTheTerm(outcome: RetireOutcome) async throws {
        try await TestWorld.with { world in
            try await world.pool.execute(
                """
                INSERT INTO job_grant (name, owner, artifact, key_arn, grantee, operations, encryption_context, expires_at,
                                       state, grant_id, recorded_at)
                VALUES ('read/p/a', 'p', 'a', 'k', 'g', '{Decrypt}', '{}', now() - interval '1 h', 'retiring', 'g1', now())
                """)
            let retirer = InterruptedRetirer(outcome: outcome)
            let old = world.sweeper("old", retirer: retirer)
            let new = world.sweeper("new", retirer: retirer)
            let term = try #require(await old.campaign())
            func row() async throws -> String {
                try await world.pool.query(
                    "SELECT concat_ws(' ', state, retire_attempts, last_error) AS text FROM job_grant")[0].get("text")
            }
            retirer.meanwhile {
                try await depose(world)
                _ = try #require(await new.campaign())
            }
            await old.sweep(term)
            #expect(retirer.calls == 1)
            #expect(try await row() == "retiring 0")
            #expect(
                try await world.store.recordRetirement("read/p/a", grantID: "g1", outcome, term: term) == false)

            retirer.meanwhile {}
            try await world.pool.execute("UPDATE job_grant SET retire_after = now()")
            await new.sweep(try #require(await new.campaign()))
            #expect(retirer.calls == 2)
            #expect(try await row() == (outcome == .retired ? "retired 1" : "retiring 1 no"))
        }
    }

    @Test func aLeaderThatShutsDownResigns() async throws {
        try await TestWorld.with { world in
            let leader = world.sweeper("first")
            let run = Task { try await leader.run() }
            try await eventually("the first leads") {
                try await world.count("SELECT count(*) FROM leadership WHERE leader = 'first' AND until > now()") == 1
            }
            #expect(try await world.sweeper("second").campaign() == nil)
            run.cancel()
            _ = await run.result
            // Cancelled as a kill would: only the end of its term lets the next one in.
            try await depose(world)
            #expect(try await world.sweeper("second").campaign() != nil)
        }
    }
}

/// Something happens while KMS retires.
private final class InterruptedRetirer: GrantRetirer {
    private struct State {
        var calls = 0
        var meanwhile: @Sendable () async throws -> Void = {}
    }

    private let state = Mutex(State())
    private let outcome: RetireOutcome

    init(outcome: RetireOutcome) { self.outcome = outcome }

    var calls: Int { state.withLock { $0.calls } }
    func meanwhile(_ body: @escaping @Sendable () async throws -> Void) { state.withLock { $0.meanwhile = body } }

    func retire(_ grant: GrantToRetire) async -> RetireOutcome {
        let body = state.withLock { state in
            state.calls += 1
            return state.meanwhile
        }
        do {
            try await body()
        } catch {
            Issue.record("What was to happen meanwhile did not: \(error)")
        }
        return outcome
    }
}

extension Sequence {
    func asyncMap<R>(_ transform: (Element) async throws -> R) async rethrows -> [R] {
        var results: [R] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
