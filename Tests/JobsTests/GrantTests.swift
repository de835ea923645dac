import Foundation
import Jobs
import Postgres
import PostgresTesting
import Synchronization
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct GrantTests {
    @Test func theEndIsShownOnlyWhenTheGrantsAreRetired() async throws {
        try await TestWorld.with { world in
            world.kms.answer([.unreachable("time-out"), .denied("no"), .unreachable("time-out")])
            let job = try await world.accept()
            try await world.running([try world.worker(ScriptedHandler(world))]) { try await world.ended(job) }
            #expect(try await world.outcome(job)?.state == "ACTIVE")
            #expect(try await world.outcome(job)?.openGrants == 0)
        }
    }

    @Test func anAnswerOfRetireGrantThatWasLostCountsAsRetired() async throws {
        try await TestWorld.with { world in
            let name = Mutex("")
            let faults = FaultPoints { point in
                // Gone behind our back, but after its row was retiring.
                if point == .manifestRecorded { world.kms.revoke(name.withLock { $0 }) }
            }
            let job = try await world.accept()
            name.withLock { $0 = GrantName.job(job, artifact: "output") }
            try await world.running([try world.worker(ScriptedHandler(world), faults: faults)]) { try await world.ended(job) }
            #expect(try await world.outcome(job)?.state == "ACTIVE")
        }
    }

    @Test func aGrantRevokedBeforeRetiringFailsTheJob() async throws {
        try await TestWorld.with { world in
            let handler = ScriptedHandler(
                world,
                onConfirm: { context in
                    let name = GrantName.job(context.job.id, artifact: "output")
                    world.kms.revoke(name)
                    guard world.kms.exists(name) else { throw JobError.final("AccessDeniedException: the grant was revoked.") }
                })
            let job = try await world.accept()
            try await world.running([try world.worker(handler)]) { try await world.ended(job) }
            #expect(try await world.outcome(job)?.state == "CREATE_FAILED")
            #expect(try await world.outcome(job)?.message == "AccessDeniedException: the grant was revoked.")
            #expect(!handler.events.contains("publish"))
            #expect(world.objects.all.isEmpty)
            #expect(try await world.queries.show(job)?.grants.map(\.state) == [.retired])
        }
    }

    @Test func aGrantCreatedWithoutARecordIsFoundByItsName() async throws {
        try await TestWorld.with { world in
            let reached = Signal()
            let faults = FaultPoints { point in
                guard point == .grantCreated else { return }
                reached.fire()
                try await Task.sleep(for: .seconds(600))
            }
            let job = try await world.accept()
            try await world.running([try world.worker(ScriptedHandler(world), faults: faults)]) {
                try await reached.wait("the grant is created")
            }
            try await world.expireLeases()
            #expect(world.kms.active == [GrantName.job(job, artifact: "output")])
            #expect(try await world.engine.stop(job) == .stopping)
            try await world.running([try world.worker(ScriptedHandler(world))]) { try await world.ended(job) }
            #expect(try await world.outcome(job)?.state == "CREATE_STOPPED")
            #expect(try await world.outcome(job)?.openGrants == 0)
            #expect(world.kms.active.isEmpty)
        }
    }

    @Test func anAnswerOfCreateGrantThatWasLostIsAskedForAgain() async throws {
        try await TestWorld.with { world in
            _ = try await world.accept()
            let task = try #require(await world.store.claim([(.import, 1)], limit: 1, worker: "a").first)
            let grants = JobGrants(claimed: task, store: world.store, faults: .none)
            let intent = GrantIntent(
                artifact: "output", keyARN: "k", roleARN: nil, grantee: "g", operations: ["Decrypt"], encryptionContext: [:])
            await #expect(throws: JobError.self) {
                _ = try await grants.ensure(intent) { record in
                    _ = world.kms.create(record)
                    throw JobError.retriable("The answer was lost.")
                }
            }
            #expect(world.kms.active.count == 1)
            let record = try await grants.ensure(intent) { world.kms.create($0) }
            #expect(world.kms.active == [record.name] && world.kms.created.count == 1, "one Name, one grant")
            #expect(try await world.store.grants(of: task.job.id).map(\.state) == [.active])
        }
    }

    @Test func anIntentWithoutAGrantIsSettled() async throws {
        try await TestWorld.with { world in
            let reached = Signal()
            let faults = FaultPoints { point in
                guard point == .grantIntended else { return }
                reached.fire()
                try await Task.sleep(for: .seconds(600))
            }
            let job = try await world.accept()
            try await world.running([try world.worker(ScriptedHandler(world), faults: faults)]) {
                try await reached.wait("the grant is intended")
            }
            try await world.expireLeases()
            try await world.engine.stop(job)
            try await world.running([try world.worker(ScriptedHandler(world))]) { try await world.ended(job) }
            #expect(try await world.queries.show(job)?.grants.map(\.state) == [.retired])
        }
    }

    @Test func whereGrantsCannotBeListedTheJobEndsAndTheSweeperGoesOn() async throws {
        try await TestWorld.with({ $0.grantPeriod = .milliseconds(200) }) { world in
            let reached = Signal()
            let faults = FaultPoints { point in
                guard point == .grantCreated else { return }
                reached.fire()
                try await Task.sleep(for: .seconds(600))
            }
            let job = try await world.accept()
            try await world.running([try world.worker(ScriptedHandler(world), faults: faults)]) {
                try await reached.wait("the grant is created")
            }
            try await world.expireLeases()
            world.kms.isListing = false
            try await world.engine.stop(job)
            try await world.running([try world.worker(ScriptedHandler(world))]) { try await world.ended(job) }
            #expect(try await world.engine.job(job)?.grantsLeft == 1)
            #expect(
                try await world.outcome(job)?.message
                    == "A grant of this job could not be retired and is left; retiring it goes on.")
            world.kms.isListing = true
            try await world.pool.execute("UPDATE job_grant SET intended_at = now() - interval '1 h'")
            #expect(try await world.sweeper.reconcileGrants() == 2, "the grant, and its row")
            #expect(world.kms.active.isEmpty)
            #expect(try await world.engine.job(job)?.grantsLeft == 0)
        }
    }

    @Test func aPlannerPausedUntilItsJobEndedLeavesNoGrant() async throws {
        try await TestWorld.with { world in
            let reached = Signal()
            let goOn = Signal()
            let created = Signal()
            let faults = FaultPoints { point in
                if point == .grantCreated { created.fire() }
                guard point == .grantIntended else { return }
                reached.fire()
                await goOn.waitPaused()
            }
            let job = try await world.accept()
            // Of one slot: the clean-up is the other worker's.
            let sleeper = try world.worker(ScriptedHandler(world), name: "sleeper", slots: 1, faults: faults)
            try await world.running([sleeper]) {
                try await reached.wait("the grant is intended")
                try await world.engine.stop(job)
                try await world.expireLeases()
                try await world.running([try world.worker(ScriptedHandler(world))]) { try await world.ended(job) }
                #expect(world.kms.active.isEmpty)
                goOn.fire()
                try await created.wait("the late grant is created")
            }
            #expect(world.kms.active.count == 1)
            #expect(try await world.sweeper.reconcileGrants() == 1)
            #expect(world.kms.active.isEmpty)
        }
    }

    @Test func aGrantThatCannotBeRetiredIsSaidCountedAndRetiredLater() async throws {
        try await TestWorld.with({ $0.grantPeriod = .milliseconds(200) }) { world in
            world.kms.isDenying = true
            let job = try await world.accept()
            try await world.running([try world.worker(ScriptedHandler(world))]) { try await world.ended(job) }
            let record = try #require(await world.engine.job(job))
            #expect(record.state == .failed && record.grantsLeft == 1)
            #expect(record.message == "A grant of this job could not be retired and is left; retiring it goes on.")
            #expect(try await world.outcome(job)?.state == "CREATE_FAILED")
            world.kms.isDenying = false
            try await world.pool.execute("UPDATE job_grant SET retire_after = now()")
            async let first: Void = world.sweeper.sweep()
            async let second: Void = world.sweeper.sweep()
            _ = await (first, second)
            #expect(world.kms.active.isEmpty)
            #expect(try await world.engine.job(job)?.grantsLeft == 0)
        }
    }

    @Test func readingGrantsAreSharedExtendedAndRetired() async throws {
        try await TestWorld.with { world in
            let grants = ReadGrants(
                process: "api-1", pool: world.pool, retirer: world.kms, configuration: world.configuration,
                logger: world.logger)
            let intent = GrantIntent(
                artifact: "predictor", keyARN: "k", roleARN: nil, grantee: "g", operations: ["Decrypt"],
                encryptionContext: [:])
            try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<20 {
                    group.addTask { try await grants.grant(intent) { world.kms.create($0) }.grantID }
                }
                var ids: Set<String?> = []
                for try await id in group { ids.insert(id) }
                #expect(ids.count == 1)
            }
            #expect(world.kms.created == ["read/api-1/predictor"])
            try await grants.forget("predictor")
            #expect(world.kms.active.isEmpty)
            let again = try await grants.grant(intent) { world.kms.create($0) }
            #expect(world.kms.active == [again.name])
            await grants.close()
            #expect(world.kms.active.isEmpty)
            await #expect(throws: JobError.self) { _ = try await grants.grant(intent) { world.kms.create($0) } }
        }
    }

    @Test func readingGrantsOfADeadProcessExpire() async throws {
        try await TestWorld.with { world in
            let grants = ReadGrants(
                process: "api-2", pool: world.pool, retirer: world.kms, configuration: world.configuration,
                logger: world.logger)
            let intent = GrantIntent(
                artifact: "predictor", keyARN: "k", roleARN: nil, grantee: "g", operations: ["Decrypt"],
                encryptionContext: [:])
            _ = try await grants.grant(intent) { world.kms.create($0) }
            await world.sweeper.sweep()
            #expect(world.kms.active.count == 1)
            try await world.pool.execute("UPDATE job_grant SET expires_at = now() - interval '1 s'")
            await world.sweeper.sweep()
            #expect(world.kms.active.isEmpty)
            #expect(try await world.count("SELECT count(*) FROM job_grant WHERE state = 'retired'") == 1)
        }
    }
}

@Suite(.enabled(if: TestDatabase.isAvailable)) struct BoundsTests {
    @Test func aJobTakesSixtyFourGrantsAndNoMore() async throws {
        try await TestWorld.with { world in
            _ = try await world.accept()
            let task = try #require(await world.store.claim([(.import, 1)], limit: 1, worker: "a").first)
            let grants = JobGrants(claimed: task, store: world.store, faults: .none)
            func intent(_ number: Int) -> GrantIntent {
                GrantIntent(
                    artifact: "a\(number)", keyARN: "k", roleARN: nil, grantee: "g", operations: ["Decrypt"],
                    encryptionContext: [:])
            }
            for number in 0..<JobGrants.grantsMax {
                _ = try await grants.ensure(intent(number)) { world.kms.create($0) }
            }
            _ = try await grants.ensure(intent(0)) { world.kms.create($0) }
            await #expect(throws: JobError.self) {
                _ = try await grants.ensure(intent(JobGrants.grantsMax)) { world.kms.create($0) }
            }
            #expect(world.kms.created.count == JobGrants.grantsMax)
        }
    }

    @Test func aSpecificationOf256KiBIsAcceptedAndNoMore() async throws {
        try await TestWorld.with { world in
            for extra in [-1, 0, 1] {
                let document = String(repeating: " ", count: JobSpecification.documentBytesMax + extra)
                let submission = try world.submission(document: document)
                if extra <= 0 {
                    try await world.engine.accept(submission) { _ in }
                } else {
                    await #expect(throws: JobError.self) { try await world.engine.accept(submission) { _ in } }
                }
            }
        }
    }
}
