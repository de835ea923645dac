import Foundation
import Jobs
import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct BatchTests {
    /// Jobs with a plan of `tasks` tasks each, all claimed.
    private func claimed(_ world: TestWorld, jobs: Int, tasks: Int) async throws -> [ClaimedTask] {
        for _ in 0..<jobs { _ = try await world.accept() }
        for plan in try await world.store.claim([(.import, 1)], limit: jobs, worker: "w") {
            try await world.store.begin(plan, handler: ScriptedHandler(world))
            try await world.store.finishPlan(plan, tasks: (0..<tasks).map { _ in TaskSpecification(input: .empty) })
        }
        let claimed = try await world.store.claim([(.import, 1)], limit: jobs * tasks, worker: "w")
        #expect(claimed.count == jobs * tasks)
        return claimed
    }

    @Test func tasksThatLostTheirFenceFailAlone() async throws {
        try await TestWorld.with { world in
            let tasks = try await claimed(world, jobs: 2, tasks: 4)
            let lost = tasks[1]
            try await world.pool.execute("UPDATE job_task SET lease_until = now() - interval '1 s' WHERE id = \(lost.id)")
            let heir = try #require(await world.store.claim([(.import, 1)], limit: 1, worker: "heir").first)
            #expect(heir.id == lost.id)
            let outcomes = await world.store.finishWork(tasks)
            for (task, outcome) in zip(tasks, outcomes) {
                if task.id == lost.id {
                    #expect(throws: JobError.self) { try outcome.get() }
                } else {
                    #expect(throws: Never.self) { try outcome.get() }
                }
            }
            #expect(try await world.engine.job(lost.job.id)?.openTasks == 1)
            try await world.store.finishWork(heir)
            #expect(try await world.count("SELECT count(*) FROM job_task WHERE role = 'commit'") == 2)
        }
    }

    @Test func aJobThatFailedFencesItsTasksInABatchOfOthers() async throws {
        try await TestWorld.with { world in
            let tasks = try await claimed(world, jobs: 2, tasks: 2)
            let failing = tasks[0].job.id
            try await world.store.fail(tasks[0], message: "line 3: not a number")
            let outcomes = await world.store.finishWork(tasks)
            for (task, outcome) in zip(tasks, outcomes) {
                if task.job.id == failing {
                    #expect(throws: JobError.self) { try outcome.get() }
                } else {
                    #expect(throws: Never.self) { try outcome.get() }
                }
            }
        }
    }

    @Test func aTaskTwiceInABatchCountsOnce() async throws {
        try await TestWorld.with { world in
            let tasks = try await claimed(world, jobs: 1, tasks: 3)
            let outcomes = await world.store.finishWork([tasks[0], tasks[1], tasks[0]])
            let done = outcomes.filter { if case .success = $0 { true } else { false } }
            #expect(done.count == 2)
            #expect(try await world.engine.job(tasks[0].job.id)?.openTasks == 1)
        }
    }

    @Test func whatABatchDidBeforeItsAnswerWasLostIsNotDoneAgain() async throws {
        try await TestWorld.with { world in
            let tasks = try await claimed(world, jobs: 2, tasks: 2)
            try await world.store.finishWork(tasks[0])
            let commits = { try await world.count("SELECT count(*) FROM job_task WHERE role = 'commit'") }
            #expect(try await commits() == 0)
            _ = await world.store.finishWork(tasks)
            #expect(try await commits() == 2)
            for job in Set(tasks.map(\.job.id)) { #expect(try await world.engine.job(job)?.openTasks == 0) }
        }
    }

    @Test func aJobWhoseRowIsLockedHoldsUpItsOwnTasksOnly() async throws {
        try await TestWorld.with { world in
            let tasks = try await claimed(world, jobs: 2, tasks: 2)
            let stuck = tasks[0].job.id
            let other = try #require(tasks.first { $0.job.id != stuck })
            let locked = Signal()
            let goOn = Signal()
            async let holder: Void = world.pool.transaction { connection in
                try await connection.query("SELECT 1 FROM job WHERE id = \(stuck) FOR NO KEY UPDATE")
                locked.fire()
                try await goOn.wait("the other job's tasks are done")
            }
            try await locked.wait("the job's row is locked")
            async let outcomes = world.store.finishWork(tasks)
            try await eventually("the other job's tasks are done") {
                try await world.engine.job(other.job.id)?.openTasks == 0
            }
            #expect(try await world.engine.job(stuck)?.openTasks == 2)
            goOn.fire()
            try await holder
            for outcome in await outcomes { #expect(throws: Never.self) { try outcome.get() } }
        }
    }

    @Test func manySmallTasksOfTwoWorkersAreEachDoneOnce() async throws {
        try await TestWorld.with { world in
            let handlers = [ScriptedHandler(world, tasks: 60, chunks: 1), ScriptedHandler(world, tasks: 60, chunks: 1)]
            let workers = try handlers.enumerated().map { try world.worker($1, name: "w\($0)", slots: 16) }
            var jobs: [JobID] = []
            for _ in 0..<3 { jobs.append(try await world.accept()) }
            try await world.running(workers) { for job in jobs { try await world.ended(job) } }
            for job in jobs {
                #expect(try await world.outcome(job)?.state == "ACTIVE")
                #expect(try await world.outcome(job)?.message == #"{"chunks": 60}"#)
            }
            #expect(
                try await world.count("SELECT count(*) FROM job_task WHERE role = 'work' AND fence = 1 AND state = 'done'") == 180
            )
        }
    }

    @Test func jobsAcceptedInBatchesRingOncePerKind() async throws {
        try await TestWorld.with { world in
            try await world.engine.accept(try (0..<700).map { try world.submission($0 % 2 == 0 ? .import : .train) })
            #expect(try await world.count("SELECT count(*) FROM job") == 700)
            #expect(try await world.count("SELECT count(*) FROM job_task WHERE role = 'plan'") == 700)
            #expect(try await world.count("SELECT count(*) FROM outbox") == 4, "two batches, two kinds")
        }
    }
}
