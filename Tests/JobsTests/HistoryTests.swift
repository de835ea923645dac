import Foundation
import Jobs
import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct HistoryTests {
    private func finished(_ world: TestWorld, _ count: Int = 1) async throws -> [JobID] {
        var jobs: [JobID] = []
        for _ in 0..<count { jobs.append(try await world.accept()) }
        try await world.running([try world.worker(ScriptedHandler(world))]) { for job in jobs { try await world.ended(job) } }
        return jobs
    }

    @Test func finishedJobsGoToTheHistoryAndAreShownAsBefore() async throws {
        try await TestWorld.with({ $0.historyAfter = .zero }) { world in
            let job = try await finished(world)[0]
            let queued = try await world.accept(.train)
            let before = try #require(await world.queries.show(job))
            let record = try #require(await world.engine.job(job))
            await world.sweeper.sweep()
            for table in ["job WHERE id", "job_task WHERE job", "job_grant WHERE job"] {
                #expect(try await world.count("SELECT count(*) FROM \(raw: table) = \(job)") == 0, "\(table)")
            }
            #expect(try await world.count("SELECT count(*) FROM job_chunk") == 0)
            let after = try #require(await world.queries.show(job))
            #expect(after.tasks.map(\.id) == before.tasks.map(\.id) && after.tasks.map(\.role) == before.tasks.map(\.role))
            #expect(after.tasks.map(\.finishedAt) == before.tasks.map(\.finishedAt))
            #expect(after.grants == before.grants && after.grants.count == 1)
            #expect(after.summary.chunks == 6 && after.summary.rows == 6 && after.summary.finishedTasks == 2)
            let archived = try #require(await world.engine.job(job))
            #expect(archived.state == .succeeded && archived.commit == record.commit && archived.finishedAt == record.finishedAt)
            #expect(try await world.engine.job(ofIncarnation: record.incarnation)?.id == job)
            #expect(try await world.queries.list().map(\.job.id) == [queued, job])
            #expect(try await world.queries.list(state: .succeeded).map(\.job.id) == [job])
            #expect(try await world.engine.stop(job) == .ended)
        }
    }

    /// What a resource's manifest names outlives the job's row.
    @Test func publishedObjectsStayAndAreReleasedWithTheirResource() async throws {
        try await TestWorld.with({ ($0.historyAfter, $0.uploadTimeout) = (.zero, .zero) }) { world in
            let job = try await finished(world)[0]
            await world.sweeper.sweep()
            await world.sweeper.sweep()
            #expect(world.objects.all.count == 7)
            #expect(try await world.count("SELECT count(*) FROM job_object WHERE state = 'published'") == 7)
            let released = try await world.pool.transaction { try await world.engine.releaseObjects(of: job, on: $0) }
            #expect(released == 7)
            await world.sweeper.sweep()
            #expect(world.objects.all.isEmpty)
        }
    }

    @Test func aJobWithAGrantLeftStaysUntilItIsRetired() async throws {
        try await TestWorld.with({ ($0.historyAfter, $0.grantPeriod) = (.zero, .zero) }) { world in
            world.kms.isDenying = true
            let job = try await finished(world)[0]
            #expect(try await world.engine.job(job)?.grantsLeft == 1)
            await world.sweeper.sweep()
            #expect(try await world.count("SELECT count(*) FROM job WHERE id = \(job)") == 1)
            world.kms.isDenying = false
            try await world.pool.execute("UPDATE job_grant SET retire_after = now()")
            await world.sweeper.sweep()
            await world.sweeper.sweep()
            #expect(try await world.count("SELECT count(*) FROM job_history WHERE id = \(job) AND grants_left = 0") == 1)
        }
    }

    @Test func jobsThatEndedLatelyStay() async throws {
        try await TestWorld.with { world in
            let job = try await finished(world)[0]
            await world.sweeper.sweep()
            #expect(try await world.count("SELECT count(*) FROM job WHERE id = \(job)") == 1)
        }
    }

    @Test func daysThatAreOverAreDroppedWhole() async throws {
        try await TestWorld.with({ ($0.historyAfter, $0.retentionDays) = (.zero, 2) }) { world in
            let jobs = try await finished(world, 3)
            for (age, job) in jobs.enumerated() {
                try await world.pool.execute(
                    "UPDATE job SET finished_at = date_trunc('day', now()) - \(age * 2) * interval '1 day' WHERE id = \(job)")
            }
            await world.sweeper.sweep()
            let partitions = {
                try await world.count("SELECT count(*) FROM pg_inherits WHERE inhparent = 'job_history'::regclass")
            }
            #expect(try await partitions() == 3)
            let term = try #require(await world.sweeper.campaign())
            // Of today and of two days ago: kept. Of four days ago: over.
            #expect(try await world.store.forgetHistory(term: term) == 1)
            #expect(try await partitions() == 2)
            #expect(try await Set(world.queries.list().map(\.job.id)) == Set(jobs.prefix(2)))
        }
    }

    @Test func aDeadJobComesBackFromTheHistory() async throws {
        try await TestWorld.with({ ($0.historyAfter, $0.retryPeriod) = (.zero, .zero) }) { world in
            let handler = ScriptedHandler(world, tasks: 1) { context, _ in
                if context.job.redrives == 0 { throw JobError.retriable("no answer") }
            }
            let job = try await world.accept()
            try await world.running([try world.worker(handler)]) { try await world.ended(job) }
            await world.sweeper.sweep()
            #expect(try await world.count("SELECT count(*) FROM job_history WHERE id = \(job)") == 1)
            try await world.pool.execute("DELETE FROM outcome")
            try await world.engine.redrive(job, by: "operator") { _, _ in }
            #expect(try await world.count("SELECT count(*) FROM job_history WHERE id = \(job)") == 0)
            try await world.running([try world.worker(handler)]) { try await world.ended(job) }
            #expect(try await world.outcome(job)?.state == "ACTIVE")
            await world.sweeper.sweep()
            let refusal = await #expect(throws: JobError.self) { try await world.engine.redrive(job, by: "o") { _, _ in } }
            #expect(refusal?.message == "The job is succeeded; only one that failed can run again.")
        }
    }
}

@Suite(.enabled(if: TestDatabase.isAvailable)) struct UnservedTests {
    /// Case 13.
    @Test func unknownKindsAndNewerVersionsAreSaidAndLeftAlone() async throws {
        try await TestWorld.with { world in
            let newer = try world.submission(version: 2)
            try await world.engine.accept(newer) { _ in }
            let other = try await world.accept(.train)
            let known = try await world.accept()
            try await world.running([try world.worker(ScriptedHandler(world))]) {
                try await world.ended(known)
                try await eventually("the worker is seen") { try await world.count("SELECT count(*) FROM job_worker") == 1 }
                let unserved = try await world.store.unserved()
                #expect(unserved.map { "\($0.kind) \($0.version) \($0.tasks)" } == ["import 2 1", "train 1 1"])
            }
            for job in [newer.id, other] { #expect(try await world.engine.job(job)?.state == .pending) }
        }
    }
}
