import Foundation
import Jobs
import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct RecoveryTests {
    /// Runs a worker until it reaches `point`, kills it there, lets its leases run out, and lets another finish.
    private func killed(
        at point: FaultPoint, count: Int = 1, _ world: TestWorld, _ handler: ScriptedHandler
    ) async throws -> JobID {
        let reached = Signal()
        let tally = Tally()
        let faults = FaultPoints { at in
            guard at == point, tally.next() == count else { return }
            reached.fire()
            try await Task.sleep(for: .seconds(600))
        }
        let job = try await world.accept()
        try await world.running([try world.worker(handler, name: "victim", slots: 1, faults: faults)]) {
            try await reached.wait("\(point) is reached")
        }
        try await world.expireLeases()
        try await world.running([try world.worker(handler, name: "heir")]) { try await world.ended(job) }
        return job
    }

    @Test(arguments: FaultPoint.all.filter { $0 != .fenced && $0 != .cleanedUp && $0 != .published })
    func aWorkerKilledAnywhereIsReplaced(point: FaultPoint) async throws {
        try await TestWorld.with { world in
            let handler = ScriptedHandler(world)
            let job = try await killed(at: point, world, handler)
            #expect(try await world.outcome(job)?.state == "ACTIVE", "\(point)")
            #expect(try await world.outcome(job)?.message == #"{"chunks": 6}"#)
            #expect(try await world.outcome(job)?.openGrants == 0)
            #expect(handler.events.filter { $0 == "publish" }.count == 1)
            #expect(world.kms.active.isEmpty && world.kms.created.count == 1, "one Name, one grant")
        }
    }

    @Test func aTakenOverTaskGoesOnBehindTheLastDurableChunk() async throws {
        try await TestWorld.with { world in
            let handler = ScriptedHandler(world, tasks: 1, chunks: 4)
            _ = try await killed(at: .chunkRecorded, count: 2, world, handler)
            let chunks = handler.events.filter { $0.hasPrefix("chunk") }
            // The second was durable when its worker died: its event was not noted, and it was not sealed again.
            #expect(chunks == ["chunk 0/0@1", "chunk 0/2@2", "chunk 0/3@2"])
            #expect(world.objects.written.count == 5)
        }
    }

    @Test func aCommitTakenOverAtRetiringNeedsNoSecondManifest() async throws {
        try await TestWorld.with { world in
            let handler = ScriptedHandler(world)
            let job = try await killed(at: .manifestRecorded, world, handler)
            #expect(handler.events.filter { $0 == "commit" }.count == 1)
            #expect(try await world.outcome(job)?.state == "ACTIVE")
        }
    }

    @Test func cleaningUpIsTakenOverToo() async throws {
        try await TestWorld.with { world in
            let handler = ScriptedHandler(world) { _, chunk in
                if chunk == 1 { throw JobError.final("File a.csv, line 7, column 2: not a number.") }
            }
            let job = try await killed(at: .cleanedUp, world, handler)
            #expect(try await world.outcome(job)?.state == "CREATE_FAILED")
            #expect(try await world.outcome(job)?.message == "File a.csv, line 7, column 2: not a number.")
            #expect(world.kms.active.isEmpty)
            #expect(world.objects.all.isEmpty)
        }
    }

    @Test func supersededUploadsAreCollected() async throws {
        try await TestWorld.with({ $0.uploadTimeout = .zero }) { world in
            let handler = ScriptedHandler(world)
            _ = try await killed(at: .chunkBeforeRecord, world, handler)
            #expect(world.objects.all.count == 8, "the victim wrote one that nothing names")
            try await world.pool.execute("UPDATE job_object SET reserved_at = now() - interval '1 h'")
            await world.sweeper.sweep()
            try await world.pool.execute("UPDATE job_object SET collect_after = now() WHERE state = 'garbage'")
            await world.sweeper.sweep()
            #expect(world.objects.all.count == 7)
        }
    }

    @Test func aTaskThatCostsTooManyWorkersEndsItsJob() async throws {
        try await TestWorld.with({ $0.lossesMax = 3 }) { world in
            let job = try await world.accept()
            for _ in 0..<3 {
                #expect(try await world.store.claim([(.import, 1)], limit: 1, worker: "doomed").count == 1)
                try await world.expireLeases()
            }
            #expect(try await world.store.claim([(.import, 1)], limit: 1, worker: "next").isEmpty)
            // Two sweepers at once: one of them fails the job, once.
            async let first: Void = world.sweeper.sweep()
            async let second: Void = world.sweeper.sweep()
            _ = await (first, second)
            #expect(try await world.engine.job(job)?.state == .failing)
            try await world.running([try world.worker(ScriptedHandler(world))]) { try await world.ended(job) }
            #expect(try await world.outcome(job)?.message == "The job was ended because one of its tasks lost 3 workers.")
        }
    }

    @Test func retriableErrorsAreTriedAgain() async throws {
        try await TestWorld.with { world in
            let tally = Tally()
            let once = ScriptedHandler(world) { context, chunk in
                if context.ordinal == 0, chunk == 1, tally.next() <= 2 {
                    throw JobError.retriable("The bucket did not answer.")
                }
            }
            let job = try await world.accept()
            try await world.running([try world.worker(once)]) { try await world.ended(job) }
            #expect(try await world.outcome(job)?.state == "ACTIVE")
        }
    }

    @Test func retriableErrorsEndTheJobAtTheDeadline() async throws {
        try await TestWorld.with({ $0.retryPeriod = .milliseconds(300) }) { world in
            let never = ScriptedHandler(world, kind: .train) { _, _ in throw JobError.retriable("The bucket did not answer.") }
            let lost = try await world.accept(.train)
            try await world.running([try world.worker(never)]) { try await world.ended(lost) }
            #expect(try await world.outcome(lost)?.message == "The bucket did not answer.")
        }
    }

    @Test func aDrainingWorkerGivesItsTaskBackAtTheNextChunk() async throws {
        try await TestWorld.with { world in
            let reached = Signal()
            let goOn = Signal()
            let handler = ScriptedHandler(world, tasks: 1) { context, chunk in
                guard chunk == 1, context.fence == Fence(1) else { return }
                reached.fire()
                await goOn.waitPaused()
            }
            let job = try await world.accept()
            let worker = try world.worker(handler)
            let run = Task { try await worker.run() }
            try await reached.wait("the second chunk")
            worker.drain()
            goOn.fire()
            try await run.value
            let task = try #require(await world.queries.show(job)?.tasks.first { $0.role == .work })
            #expect(task.state == .ready && task.chunks == 2 && task.attempts == 0 && task.losses == 0)
            try await world.running([try world.worker(handler)]) { try await world.ended(job) }
            #expect(handler.events.last { $0.hasPrefix("chunk") } == "chunk 0/2@2")
        }
    }

    @Test func workThatOccupiesEveryThreadCostsNoLease() async throws {
        let (lease, work) = (Duration.seconds(10), Duration.seconds(12))
        try await TestWorld.with({ ($0.lease, $0.beat, $0.trustMargin) = (lease, .milliseconds(200), .seconds(1)) }) { world in
            let handler = ScriptedHandler(world, tasks: 2, chunks: 1) { _, _ in
                let end = ContinuousClock.now + work
                while ContinuousClock.now < end {}
            }
            let job = try await world.accept()
            let beatPool = world.database.anotherPool { $0.maximumConnections = 1 }
            defer { beatPool.close() }
            let started = Signal()
            let hogged = ScriptedHandler(world, tasks: 2, chunks: 1) { context, chunk in
                started.fire()
                try await handler.beforeChunk(context, chunk)
            }
            try await world.running([try world.worker(hogged, slots: 2, threads: 2, beatPool: beatPool)]) {
                try await started.wait("work begins")
                // And the whole cooperative pool, for longer than a lease.
                await withDiscardingTaskGroup { group in
                    for _ in 0..<ProcessInfo.processInfo.activeProcessorCount {
                        group.addTask {
                            let end = ContinuousClock.now + work
                            while ContinuousClock.now < end {}
                        }
                    }
                }
                try await world.ended(job)
            }
            #expect(try await world.count("SELECT sum(losses) FROM job_task WHERE job = \(job)") == 0)
        }
    }

    @Test func unrungTasksAreRungAgainOnce() async throws {
        try await TestWorld.with { world in
            _ = try await world.accept()
            try await world.pool.execute("DELETE FROM outbox")
            try await world.pool.execute("UPDATE job_task SET not_before = now() - interval '1 h'")
            await world.sweeper.sweep()
            await world.sweeper.sweep()
            #expect(try await world.count("SELECT count(*) FROM outbox") == 1)
        }
    }
}
