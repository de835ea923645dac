import Jobs
import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct StopTests {
    @Test func aQueuedJobStopsAtOnce() async throws {
        try await TestWorld.with { world in
            let job = try await world.accept()
            let outcome = try await world.engine.stop(job) { outcome, connection in
                try await connection.execute("INSERT INTO outcome VALUES (\(job), \(outcome.rawValue), NULL, 0)")
            }
            #expect(outcome == .stopped)
            #expect(try await world.engine.job(job)?.state == .stopped)
            #expect(try await world.outcome(job)?.state == "stopped")
            #expect(try await world.engine.stop(job) == .ended)
            try await world.running([try world.worker(ScriptedHandler(world))]) {
                try await world.ended(try await world.accept())
            }
            #expect(try await world.count("SELECT count(*) FROM job_task WHERE job = \(job) AND state = 'cancelled'") == 1)
        }
    }

    @Test func aRunningJobStopsWithItsNextBeatAndLeavesNothing() async throws {
        try await TestWorld.with { world in
            let reached = Signal()
            let handler = ScriptedHandler(world) { _, chunk in
                guard chunk == 1 else { return }
                reached.fire()
                try await Task.sleep(for: .seconds(600))
            }
            let job = try await world.accept()
            try await world.running([try world.worker(handler)]) {
                try await reached.wait("the second chunk")
                #expect(try await world.engine.stop(job) == .stopping)
                // Long before the work would be done and the lease over.
                try await world.ended(job)
            }
            #expect(try await world.outcome(job)?.state == "CREATE_STOPPED")
            #expect(try await world.outcome(job)?.openGrants == 0)
            #expect(world.objects.all.isEmpty)
            #expect(world.kms.active.isEmpty)
            #expect(try await world.engine.job(job)?.epoch == Epoch(2))
        }
    }

    @Test func stoppingWhileGrantsRetireIsAcceptedAndChangesNothing() async throws {
        try await TestWorld.with { world in
            let recorded = Signal()
            let goOn = Signal()
            let faults = FaultPoints { point in
                guard point == .manifestRecorded else { return }
                recorded.fire()
                await goOn.waitPaused()
            }
            let job = try await world.accept()
            try await world.running([try world.worker(ScriptedHandler(world), faults: faults)]) {
                try await recorded.wait("the manifest is recorded")
                #expect(try await world.engine.stop(job) == .decided)
                goOn.fire()
                try await world.ended(job)
            }
            #expect(try await world.outcome(job)?.state == "ACTIVE")
        }
    }

    @Test func stoppingWhileTheManifestIsWrittenFencesTheCommit() async throws {
        try await TestWorld.with { world in
            let written = Signal()
            let goOn = Signal()
            let faults = FaultPoints { point in
                guard point == .manifestWritten else { return }
                written.fire()
                await goOn.waitPaused()
            }
            let handler = ScriptedHandler(world)
            let job = try await world.accept()
            try await world.running([try world.worker(handler, faults: faults)]) {
                try await written.wait("the manifest is written")
                #expect(try await world.engine.stop(job) == .stopping)
                goOn.fire()
                try await world.ended(job)
            }
            #expect(try await world.outcome(job)?.state == "CREATE_STOPPED")
            #expect(!handler.events.contains("publish"))
            #expect(world.objects.all.isEmpty)
        }
    }
}
