import Jobs
import Postgres
import PostgresTesting
import Telemetry
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct QueueReadingsTests {
    @Test func whatWaitsIsCountedByKindAndWhatIsAtWorkIsNot() async throws {
        try await TestWorld.with { world in
            for _ in 0..<3 { _ = try await world.accept(.import) }
            _ = try await world.accept(.train)
            #expect(try await world.store.claim([(.import, 1)], limit: 1, worker: "w").count == 1)
            try await world.pool.execute(
                """
                UPDATE job_task SET not_before = CASE kind WHEN 'train' THEN now() + interval '1 hour' ELSE now() - interval '1 minute' END
                WHERE state = 'ready'
                """)
            let readings = try await world.store.readQueues()
            #expect(readings.queues.map(\.kind) == ["import", "train"])
            #expect(readings.queues.map(\.due) == [2, 0] && readings.queues.map(\.delayed) == [0, 1])
            #expect(readings.queues[0].oldestDueSeconds >= 60 && readings.queues[1].oldestDueSeconds == 0)
            #expect(readings.outboxRows == 4 && readings.outboxOldestSeconds >= 0)
            #expect(readings.deadLetters == 0)
            #expect(readings.grants.count == 8 && readings.grants.allSatisfy { $0.number == 0 })
        }
    }

    @Test func aKindThatIsServedIsToldThoughNothingWaits() async throws {
        try await TestWorld.with { world in
            #expect(try await world.store.readQueues().queues.isEmpty)
            try await world.pool.execute(
                "INSERT INTO job_worker (name, kinds, versions, slots, running) VALUES ('w', '{import}', '{1}', 1, 0)")
            #expect(
                try await world.store.readQueues().queues
                    == [.init(kind: "import", due: 0, delayed: 0, oldestDueSeconds: 0)])
        }
    }

    @Test func aJobKeepsTheTraceOfTheRequestThatItWasAcceptedWith() async throws {
        try await TestWorld.with { world in
            let trace = TraceContext()
            let job = try await TraceContext.$current.withValue(trace) { try await world.accept() }
            #expect(try await world.store.job(job)?.trace == trace)
            #expect(try await world.store.claim([(.import, 1)], limit: 1, worker: "w").first?.job.trace == trace)
            #expect(try await world.store.job(try await world.accept())?.trace == nil)
        }
    }
}
