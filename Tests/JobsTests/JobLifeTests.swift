import Jobs
import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct JobLifeTests {
    @Test func aJobRunsFromAcceptanceToPublication() async throws {
        try await TestWorld.with { world in
            let handler = ScriptedHandler(world)
            let job = try await world.accept()
            try await world.running([try world.worker(handler)]) { try await world.ended(job) }
            let record = try #require(await world.engine.job(job))
            #expect(record.state == .succeeded)
            let outcome = try #require(await world.outcome(job))
            #expect(outcome.state == "ACTIVE")
            #expect(outcome.message == #"{"chunks": 6}"#)
            #expect(outcome.openGrants == 0)
            #expect(world.kms.active.isEmpty)
            #expect(world.kms.retired == [GrantName.job(job, artifact: "output")])
            #expect(world.objects.all.count == 7)
            let published = try await world.count("SELECT count(*) FROM job_object WHERE state = 'published'")
            #expect(published == 7)
            let detail = try #require(await world.queries.show(job))
            #expect(detail.summary.bytes == 60 && detail.summary.rows == 6 && detail.summary.finishedTasks == 2)
            #expect(detail.summary.expectedBytes == 60)
            #expect(detail.grants.map(\.state) == [.retired])
            #expect(detail.tasks.count == 4)
        }
    }

    @Test func aPlanWithoutTasksIsCommitted() async throws {
        try await TestWorld.with { world in
            let job = try await world.accept()
            try await world.running([try world.worker(ScriptedHandler(world, tasks: 0))]) { try await world.ended(job) }
            #expect(try await world.outcome(job)?.state == "ACTIVE")
        }
    }

    @Test func whatThrowsAlongsideAcceptsNothing() async throws {
        try await TestWorld.with { world in
            let submission = try world.submission()
            await #expect(throws: JobError.self) {
                try await world.engine.accept(submission) { _ in throw JobError.final("name taken") }
            }
            #expect(try await world.engine.job(submission.id) == nil)
            #expect(try await world.count("SELECT count(*) FROM outbox") == 0)
        }
    }

    @Test func acceptanceRingsTheTopicOfTheKind() async throws {
        try await TestWorld.with { world in
            _ = try await world.accept(.train)
            let topic: String = try await world.pool.query("SELECT topic FROM outbox")[0].get("topic")
            #expect(topic == "forecastle.jobs.train")
        }
    }

    @Test func ringsTooManyAndNoneAtAllChangeNothing() async throws {
        try await TestWorld.with { world in
            let handler = ScriptedHandler(world)
            let worker = try world.worker(handler)
            let jobs = [try await world.accept(), try await world.accept()]
            try await world.pool.execute("DELETE FROM outbox")
            try await world.running([worker]) {
                for _ in 0..<500 { world.doorbell.ring() }
                for job in jobs { try await world.ended(job) }
            }
            #expect(handler.events.filter { $0 == "plan" }.count == 2)
            #expect(handler.events.filter { $0 == "publish" }.count == 2)
        }
    }

    @Test func unknownKindsAndNewerVersionsAreLeftAlone() async throws {
        try await TestWorld.with { world in
            let other = try await world.accept(.train)
            let newer = try world.submission()
            let specification = JobSpecification(
                job: newer.id, kind: .import, version: 2, account: TestWorld.account, resourceARN: "a:b:c:d:e:f",
                incarnation: newer.specification.incarnation, sourceAddress: "", userAgent: "", document: [])
            try await world.engine.accept(try JobSubmission(specification, signedBy: world.signer)) { _ in }
            let known = try await world.accept()
            try await world.running([try world.worker(ScriptedHandler(world))]) { try await world.ended(known) }
            #expect(try await world.engine.job(other)?.state == .pending)
            #expect(try await world.engine.job(newer.id)?.state == .pending)
        }
    }

    @Test func manyJobsOnSeveralWorkersAreEachDoneOnce() async throws {
        try await TestWorld.with { world in
            let handler = ScriptedHandler(world, tasks: 3, chunks: 1)
            var jobs: [JobID] = []
            for _ in 0..<12 { jobs.append(try await world.accept()) }
            let workers = try (0..<3).map { _ in try world.worker(handler) }
            try await world.running(workers) { for job in jobs { try await world.ended(job) } }
            #expect(handler.events.filter { $0 == "publish" }.count == 12)
            #expect(handler.events.filter { $0.hasPrefix("chunk") }.count == 36)
            #expect(world.kms.active.isEmpty)
        }
    }

    @Test func anEditedSpecificationIsRefusedAndItsRoleNotAssumed() async throws {
        try await TestWorld.with { world in
            let reached = Signal()
            let goOn = Signal()
            let handler = ScriptedHandler(world, tasks: 1, chunks: 1) { _, _ in
                reached.fire()
                await goOn.waitPaused()
                throw JobError.retriable("again")
            }
            let job = try await world.accept()
            try await world.running([try world.worker(handler)]) {
                try await reached.wait("the first chunk")
                try await world.pool.execute(
                    "UPDATE job SET specification = convert_to('{\"Path\":\"s3://elsewhere\"}', 'UTF8') WHERE id = \(job)")
                goOn.fire()
                try await world.ended(job)
            }
            #expect(try await world.outcome(job)?.state == "CREATE_FAILED")
            #expect(try await world.engine.job(job)?.message?.contains("not the one that was accepted") == true)
            #expect(world.kms.active.isEmpty)
            #expect(world.kms.role(for: GrantName.job(job, artifact: "output")) == .some(nil))
        }
    }

    @Test func publishedObjectsAreCollectedOnceReleased() async throws {
        try await TestWorld.with({ $0.uploadTimeout = .zero }) { world in
            let job = try await world.accept()
            try await world.running([try world.worker(ScriptedHandler(world))]) { try await world.ended(job) }
            await world.sweeper.sweep()
            #expect(world.objects.all.count == 7)
            try await world.pool.transaction { try await world.engine.releaseObjects(of: job, on: $0) }
            await world.sweeper.sweep()
            #expect(world.objects.all.isEmpty)
            #expect(try await world.count("SELECT count(*) FROM job_object") == 0)
        }
    }
}
