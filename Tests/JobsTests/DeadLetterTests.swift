import Foundation
import Jobs
import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct DeadLetterTests {
    /// A job whose plan cost every worker its lease.
    private func poisoned(_ world: TestWorld) async throws -> JobID {
        let job = try await world.accept()
        for _ in 0..<world.configuration.lossesMax {
            #expect(try await world.store.claim([(.import, 1)], limit: 1, worker: "doomed").count == 1)
            try await world.expireLeases()
        }
        await world.sweeper.sweep()
        try await world.running([try world.worker(ScriptedHandler(world))]) { try await world.ended(job) }
        return job
    }

    /// The resource runs again: what the catalog does.
    private func redrive(_ world: TestWorld, _ job: JobID) async throws {
        try await world.engine.redrive(job, by: "operator") { job, connection in
            let changed = try await connection.execute(
                "DELETE FROM outcome WHERE job = \(job.id) AND state = 'CREATE_FAILED'")
            guard changed == 1 else { throw JobError(.invalid, "The resource is gone.") }
        }
    }

    @Test func aPoisonTaskPutsItsJobToTheDeadLettersAndARedriveRunsItAnew() async throws {
        try await TestWorld.with({ $0.lossesMax = 3 }) { world in
            let job = try await poisoned(world)
            #expect(try await world.outcome(job)?.state == "CREATE_FAILED")
            let letter = try #require(await world.queries.deadLetters().first)
            #expect(letter.job == job && letter.reason == .workersLost && letter.role == .plan && letter.losses == 3)
            #expect(letter.worker == "doomed" && letter.message.contains("lost 3 workers"))

            try await redrive(world, job)
            #expect(try await world.queries.deadLetters().isEmpty)
            let settled = try #require(await world.queries.deadLetters(all: true).first)
            #expect(settled.redrivenBy == "operator" && settled.redrivenAt != nil)
            let pending = try #require(await world.engine.job(job))
            #expect(pending.state == .pending && pending.epoch == Epoch(3) && pending.redrives == 1 && pending.message == nil)
            let handler = ScriptedHandler(world)
            try await world.running([try world.worker(handler)]) { try await world.ended(job) }
            #expect(try await world.outcome(job)?.state == "ACTIVE")
            #expect(try await world.outcome(job)?.openGrants == 0)
            #expect(world.kms.active.isEmpty)
            #expect(handler.events.filter { $0 == "publish" }.count == 1)
        }
    }

    @Test func aJobThatFailedHalfWayLeavesNothingOfItsFirstLifeInTheSecond() async throws {
        try await TestWorld.with({ ($0.retryPeriod, $0.uploadTimeout) = (.zero, .zero) }) { world in
            let handler = ScriptedHandler(world) { context, chunk in
                if chunk == 1, context.job.redrives == 0 { throw JobError.retriable("The bucket did not answer.") }
            }
            let job = try await world.accept()
            try await world.running([try world.worker(handler)]) { try await world.ended(job) }
            let letter = try #require(await world.queries.deadLetters().first)
            #expect(letter.reason == .retriesExhausted && letter.lastError == "The bucket did not answer.")
            try await redrive(world, job)
            try await world.running([try world.worker(handler)]) { try await world.ended(job) }
            #expect(try await world.outcome(job)?.state == "ACTIVE")
            #expect(try await world.outcome(job)?.message == #"{"chunks": 6}"#)
            #expect(try await world.queries.show(job)?.tasks.filter { $0.role == .work }.count == 2)
            try await world.pool.execute("UPDATE job_object SET collect_after = now() WHERE state = 'garbage'")
            await world.sweeper.sweep()
            #expect(world.objects.all.count == 7, "six chunks and a manifest")
        }
    }

    @Test func aLateAttemptOfTheFirstLifeChangesNothingInTheSecond() async throws {
        try await TestWorld.with({ $0.lossesMax = 2 }) { world in
            let job = try await world.accept()
            let late = try #require(await world.store.claim([(.import, 1)], limit: 1, worker: "paused").first)
            try await world.expireLeases()
            _ = try await world.store.claim([(.import, 1)], limit: 1, worker: "doomed")
            try await world.expireLeases()
            await world.sweeper.sweep()
            try await world.running([try world.worker(ScriptedHandler(world))]) { try await world.ended(job) }
            try await redrive(world, job)
            await #expect(throws: JobError.self) { try await world.store.finishPlan(late, tasks: []) }
            await #expect(throws: JobError.self) { try await world.store.intend(ScriptedHandler.intent, by: late) }
            await #expect(throws: JobError.self) { try await world.store.fail(late, message: "late") }
            #expect(try await world.engine.job(job)?.state == .pending)
        }
    }

    @Test func onlyWhatFailedAndLeftNothingCanRunAgain() async throws {
        try await TestWorld.with { world in
            let queued = try await world.accept()
            await #expect(throws: JobError.self) { try await redrive(world, queued) }
            await #expect(throws: JobError.self) { try await redrive(world, JobID()) }
            let failing = ScriptedHandler(world) { _, _ in throw JobError.final("line 3: column 2 is not a number") }
            try await world.running([try world.worker(failing)]) { try await world.ended(queued) }
            #expect(try await world.queries.deadLetters().isEmpty, "a customer's mistake is no dead letter")
            try await world.pool.execute(
                """
                UPDATE job_grant SET state = 'left', retired_at = NULL WHERE job = \(queued)
                """)
            await #expect(throws: JobError.self) { try await redrive(world, queued) }
            try await world.pool.execute("UPDATE job_grant SET state = 'retired', retired_at = now()")
            // The resource was deleted: nothing of the redrive stays.
            try await world.pool.execute("DELETE FROM outcome")
            await #expect(throws: JobError.self) { try await redrive(world, queued) }
            #expect(try await world.engine.job(queued)?.state == .failed)
        }
    }

    @Test func theRetriesOfAKindAreItsOwn() async throws {
        try await TestWorld.with({
            $0.retryOfKinds = [.train: RetryPolicy(first: .milliseconds(1), cap: .milliseconds(2), period: .zero)]
        }) { world in
            let train = ScriptedHandler(world, kind: .train) { _, _ in throw JobError.retriable("no answer") }
            let job = try await world.accept(.train)
            try await world.running([try world.worker(train)]) { try await world.ended(job) }
            #expect(try await world.outcome(job)?.state == "CREATE_FAILED", "its own deadline, not the ten minutes")
            #expect(world.configuration.retry(of: .train).backoff(afterFailures: 9, random: 0.5) <= .milliseconds(2))
            #expect(world.configuration.retryPeriod(of: .import) == .seconds(600))
        }
    }
}
