import Foundation
import Jobs
import Postgres
import PostgresTesting
import Testing

/// What a late attempt tries, directly against the statements: each must change zero rows.
@Suite(.enabled(if: TestDatabase.isAvailable)) struct FencingTests {
    /// A job with one task, claimed twice: the first claim is the late one.
    private func taken(_ world: TestWorld, tasks: Int = 1) async throws -> (late: ClaimedTask, current: ClaimedTask) {
        _ = try await world.accept()
        let handler = ScriptedHandler(world)
        let plan = try #require(await world.store.claim([(.import, 1)], limit: 1, worker: "a").first)
        try await world.store.begin(plan, handler: handler)
        let specifications = (0..<tasks).map { _ in TaskSpecification(input: .empty) }
        try await world.store.finishPlan(plan, tasks: specifications)
        let late = try #require(await world.store.claim([(.import, 1)], limit: 1, worker: "a").first)
        try await world.expireLeases()
        let current = try #require(
            await world.store.claim([(.import, 1)], limit: 5, worker: "b").first { $0.id == late.id })
        #expect(current.fence == late.fence.next)
        return (late, current)
    }

    private func expectLost(_ body: () async throws -> Void) async {
        do {
            try await body()
            Issue.record("A late write was not refused.")
        } catch {
            #expect((error as? JobError)?.code == .leaseLost)
        }
    }

    @Test func lateCompletionWithOldFenceIsRefused() async throws {
        try await TestWorld.with { world in
            let (late, current) = try await taken(world)
            await expectLost { try await world.store.finishWork(late) }
            #expect(try await world.engine.job(late.job.id)?.openTasks == 1)
            try await world.store.finishWork(current)
            #expect(try await world.engine.job(late.job.id)?.openTasks == 0)
            await expectLost { try await world.store.finishWork(current) }
        }
    }

    @Test func everyOtherLateWriteIsRefused() async throws {
        try await TestWorld.with { world in
            let (late, current) = try await taken(world)
            await expectLost { try await world.store.reserveObject("artifacts/x/late", ordinal: 0, by: late) }
            try await world.store.reserveObject("artifacts/x/now", ordinal: 0, by: current)
            let chunk = ChunkToRecord(
                ordinal: 0, object: "artifacts/x/now", inputPosition: .empty, bytes: 1, rows: 1)
            await expectLost { try await world.store.record(chunk, of: late, totalBytes: 1, totalRows: 1) }
            await expectLost { _ = try await world.store.intend(ScriptedHandler.intent, by: late) }
            let intended = try await world.store.intend(ScriptedHandler.intent, by: current)
            await expectLost { try await world.store.recordGrant(intended.name, id: "g", token: nil, by: late) }
            await expectLost { try await world.store.fail(late, message: "late") }
            #expect(try await !world.store.retry(late, after: .zero, error: "late"))
            try await world.store.release(late)
            let answers = try await world.store.renew([BeatEntry(task: late.id, fence: late.fence)])
            #expect(answers[late.id] == .lost(.taken))
            let held = try await world.store.renew([BeatEntry(task: current.id, fence: current.fence)])
            #expect(held[current.id] == .held)
            try await world.store.record(chunk, of: current, totalBytes: 1, totalRows: 1)
        }
    }

    @Test func aChunkWhoseAnswerWasLostIsRecordedOnce() async throws {
        try await TestWorld.with { world in
            let (_, task) = try await taken(world)
            try await world.store.reserveObject("artifacts/x/0", ordinal: 0, by: task)
            let chunk = ChunkToRecord(ordinal: 0, object: "artifacts/x/0", inputPosition: .empty, bytes: 1, rows: 1)
            try await world.store.record(chunk, of: task, totalBytes: 1, totalRows: 1)
            try await world.store.record(chunk, of: task, totalBytes: 1, totalRows: 1)
            #expect(try await world.count("SELECT count(*) FROM job_chunk") == 1)
            let gap = ChunkToRecord(ordinal: 2, object: "artifacts/x/2", inputPosition: .empty, bytes: 1, rows: 1)
            try await world.store.reserveObject("artifacts/x/2", ordinal: 2, by: task)
            await expectLost { try await world.store.record(gap, of: task, totalBytes: 1, totalRows: 1) }
        }
    }

    @Test func siblingsAreFencedByTheEpochWhenOneFails() async throws {
        try await TestWorld.with { world in
            _ = try await world.accept()
            let store = world.store
            let plan = try #require(await store.claim([(.import, 1)], limit: 1, worker: "a").first)
            try await store.begin(plan, handler: ScriptedHandler(world))
            try await store.finishPlan(plan, tasks: [TaskSpecification(input: .empty), TaskSpecification(input: .empty)])
            let tasks = try await store.claim([(.import, 1)], limit: 2, worker: "a")
            #expect(tasks.count == 2)
            try await store.fail(tasks[0], message: "line 3: column 2 is not a number")
            await expectLost { try await store.finishWork(tasks[1]) }
            await expectLost { try await store.reserveObject("artifacts/x/1", ordinal: 0, by: tasks[1]) }
            await expectLost { try await store.fail(tasks[1], message: "AccessDenied") }
            let answers = try await store.renew([BeatEntry(task: tasks[1].id, fence: tasks[1].fence)])
            #expect(answers[tasks[1].id] == .lost(.cancelled))
            let job = try #require(await world.engine.job(plan.job.id))
            #expect(job.state == .failing && job.message == "line 3: column 2 is not a number")
        }
    }

    /// The statements of claiming are `TaskStateMachine.claimed` for many rows at once.
    @Test(arguments: [UInt64](1...3)) func claimsAgreeWithTheMachine(seed: UInt64) async throws {
        try await TestWorld.with { world in
            var random = SeededGenerator(seed: seed)
            let job = try await world.accept()
            try await world.pool.execute("DELETE FROM job_task")
            var machines: [TaskID: TaskStateMachine] = [:]
            let now: Date = try await world.pool.query("SELECT now() AS now")[0].get("now")
            for ordinal in 0..<60 {
                let state = try #require(TaskState.allCases.randomElement(using: &random))
                let lease = now.addingTimeInterval(try #require([-100, -1, 3600].randomElement(using: &random)))
                let notBefore = now.addingTimeInterval(Bool.random(using: &random) ? -10 : 3600)
                let machine = TaskStateMachine(
                    state: state, fence: Fence(3), losses: Int.random(in: 0...6, using: &random),
                    leaseUntil: state == .running ? lease : nil, notBefore: notBefore,
                    mustFinish: Bool.random(using: &random))
                let id = TaskID()
                machines[id] = machine
                try await world.pool.execute(
                    """
                    INSERT INTO job_task (id, job, kind, version, account, role, ordinal, epoch, state, fence, losses,
                                          must_finish, worker, lease_until, not_before, finished_at)
                    VALUES (\(id), \(job), 'import', 1, \(TestWorld.account), 'work', \(ordinal), 1, \(state), 3,
                            \(machine.losses), \(machine.mustFinish), 'w', \(machine.leaseUntil), \(notBefore),
                            \(state.isTerminal ? now : nil))
                    """)
            }
            let claimed = try await world.store.claim([(.import, 1)], limit: 100, worker: "a")
            let after: Date = try await world.pool.query("SELECT now() AS now")[0].get("now")
            let ids = Set(claimed.map(\.id))
            func isGranted(_ machine: TaskStateMachine, at time: Date) -> Bool {
                var copy = machine
                let action = copy.claimed(at: time, lease: 60, lossesMax: world.configuration.lossesMax)
                return if case .grant = action { true } else { false }
            }
            for (id, machine) in machines where isGranted(machine, at: now) == isGranted(machine, at: after) {
                // Others' pause after many losses ended while this ran: the statement may have seen either.
                #expect(ids.contains(id) == isGranted(machine, at: now), "seed \(seed): \(machine)")
            }
            let term = try #require(await world.sweeper.campaign())
            let exhausted = machines.values.filter { machine in
                var copy = machine
                return copy.claimed(at: now, lease: 60, lossesMax: world.configuration.lossesMax) == .giveUp
            }
            #expect(try await world.store.failExhausted(limit: 100, term: term) == min(exhausted.count, 1), "one job fails once")
        }
    }
}
