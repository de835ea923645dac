import AuditTrail
import FoundationEssentials
import Postgres
import PostgresTesting
import ServiceLifecycle
import ServiceTesting
import Synchronization
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct HeadsExporterTests {
    private func withTrail(_ body: @escaping @Sendable (PostgresPool, AuditTrail, HeadsFolder) async throws -> Void) async throws
    {
        try await TestDatabase.with(migrations: .authority) { pool in
            try await HeadsFolder.with { folder in
                try await body(pool, try await AuditTrail.open(pool: pool, logger: TestDatabase.logger), folder)
            }
        }
    }

    @Test func aPassExportsAllHeadsAndAnIdleOneNothing() async throws {
        try await withTrail { pool, trail, folder in
            let exporter = folder.exporter(pool)
            await exporter.pass()
            #expect(Set(try await folder.read().newest) == Set(try await AuditTrail.heads(pool: pool)))
            await exporter.pass()
            #expect(try await folder.read().lines == 1)
            try await trail.record([sampleRecord(), sampleRecord()])
            await exporter.pass()
            let evidence = try await folder.read()
            let heads = try await AuditTrail.heads(pool: pool)
            #expect(evidence.lines == 2 && evidence.newest == heads)
            #expect(evidence.newest.first?.sequence == 2)
        }
    }

    @Test func twoProcessesExportIntoOneDirectoryAndEachAllShards() async throws {
        try await withTrail { pool, first, folder in
            let second = try await AuditTrail.open(pool: pool, logger: TestDatabase.logger)
            let exporters = [folder.exporter(pool), folder.exporter(pool)]
            try await first.record(sampleRecord())
            await exporters[0].pass()
            try await second.record(sampleRecord())
            await exporters[1].pass()
            await exporters[0].pass()
            #expect(try folder.files.count == 2)
            let evidence = try await folder.read()
            #expect(evidence.findings == [] && Set(evidence.newest.map(\.sequence)) == [1] && evidence.newest.count == 2)
            #expect(try await AuditTrail.verify(pool: pool, evidence: evidence).findings == [])
        }
    }

    @Test func theLoopExportsByTimeAndOnceMoreWhenItStops() async throws {
        try await withTrail { pool, trail, folder in
            let pace = trail.pace
            let exporter = folder.exporter(pool, pace: pace, interval: .milliseconds(20))
            try await trail.record(sampleRecord())
            let group = ServiceGroup(services: [exporter], logger: TestDatabase.logger)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                try await within("the head to be exported") {
                    while try await folder.read().newest.first?.sequence != 1 { await Task.yield() }
                }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
            #expect(try await folder.read().findings == [])
        }
    }

    @Test func aFailedExportIsFollowedByANewFileWithAllHeads() async throws {
        try await withTrail { pool, trail, folder in
            let exporter = folder.exporter(pool)
            try await trail.record(sampleRecord())
            let away = folder.path + ".away"
            try FileManager.default.moveItem(atPath: folder.path, toPath: away)
            await exporter.pass()
            await exporter.pass()
            try FileManager.default.moveItem(atPath: away, toPath: folder.path)
            await exporter.pass()
            let evidence = try await folder.read()
            #expect(evidence.lines == 1 && evidence.findings == [] && evidence.newest.first?.sequence == 1)
        }
    }

    @Test func passesThatFailKeepTheTrailShutEvenWhereNothingNewCame() async throws {
        try await TestDatabase.with(migrations: .authority) { pool in
            try await HeadsFolder.with { folder in
                let clock = Mutex(ContinuousClock.now)
                let pace = ExportPace(bound: .seconds(60)) { clock.withLock { $0 } }
                let trail = try await AuditTrail.open(pool: pool, logger: TestDatabase.logger, pace: pace)
                let exporter = folder.exporter(pool, pace: pace)
                try FileManager.default.removeItem(atPath: folder.path)
                clock.withLock { $0 += .seconds(61) }
                for _ in 0..<3 {
                    await exporter.pass()
                    await #expect(throws: AuditError.self) { try await trail.record(sampleRecord()) }
                }
                try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
                clock.withLock { $0 = .now }
                await exporter.pass()
                try await trail.record(sampleRecord())
            }
        }
    }

    @Test func whileHeadsCannotBeExportedNothingIsAnswered() async throws {
        try await TestDatabase.with(migrations: .authority) { pool in
            try await HeadsFolder.with { folder in
                let pace = ExportPace(bound: .zero)
                let trail = try await AuditTrail.open(pool: pool, logger: TestDatabase.logger, pace: pace)
                let error = await #expect(throws: AuditError.self) { try await trail.record(sampleRecord()) }
                #expect(error?.code == .headsNotExported && error?.isRetriable == true)
                await #expect(throws: AuditError.self) {
                    try await pool.transaction { try await trail.append(sampleRecord(), on: $0) }
                }
                #expect(try await pool.query("SELECT FROM audit_records").isEmpty)
            }
        }
    }

    @Test func theWindowIsMeasuredFromRecordsAndExports() async throws {
        try await withTrail { pool, trail, folder in
            let exporter = folder.exporter(pool)
            try await trail.record([sampleRecord(), sampleRecord(), sampleRecord()])
            await exporter.pass()
            try await trail.record(sampleRecord())
            let window = try await ExportWindow.measure(100, evidence: folder.read(), pool: pool)
            #expect(window.records == 3 && window.uncovered == 1)
            let longest = try #require(window.longest)
            #expect(longest >= 0 && window.quantile(0.5).map { $0 <= longest } == true)
        }
    }
}
