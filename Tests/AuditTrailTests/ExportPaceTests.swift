import AuditTrail
import Synchronization
import Testing

@Suite struct ExportPaceTests {
    private final class Clock: Sendable {
        private let state = Mutex(ContinuousClock.now)
        var now: ContinuousClock.Instant { state.withLock { $0 } }
        func advance(by duration: Duration) { state.withLock { $0 += duration } }
    }

    @Test(arguments: [(59_999, true), (60_000, true), (60_001, false)])
    func recordsAreRefusedOnceTheBoundIsPassed(milliseconds: Int, accepted: Bool) {
        let clock = Clock()
        let pace = ExportPace(bound: .seconds(60)) { clock.now }
        clock.advance(by: .milliseconds(milliseconds))
        let code: AuditError.Code?
        do throws(AuditError) {
            try pace.check()
            code = nil
        } catch { code = error.code }
        #expect(code == (accepted ? nil : .headsNotExported))
    }

    @Test func aPassOpensAgainFromItsBeginning() {
        let clock = Clock()
        let pace = ExportPace(bound: .seconds(60)) { clock.now }
        clock.advance(by: .seconds(61))
        #expect(throws: AuditError.self) { try pace.check() }
        let start = clock.now
        clock.advance(by: .seconds(30))
        pace.passed(from: start)
        #expect(throws: Never.self) { try pace.check() }
        clock.advance(by: .seconds(31))
        #expect(throws: AuditError.self) { try pace.check() }
    }

    @Test func withoutABoundNothingIsRefused() {
        let clock = Clock()
        let pace = ExportPace { clock.now }
        clock.advance(by: .seconds(86_400))
        #expect(throws: Never.self) { try pace.check() }
    }

    @Test func theThousandthRecordMakesAnExportDue() async {
        let pace = ExportPace()
        pace.added(ExportPace.recordsPerExport - 1)
        pace.finish()
        var wakes = 0
        for await _ in pace.wakes { wakes += 1 }
        #expect(wakes == 0)

        let due = ExportPace()
        due.added(ExportPace.recordsPerExport - 1)
        due.added(1)
        due.added(1)
        due.finish()
        for await _ in due.wakes { wakes += 1 }
        #expect(wakes == 1)
    }
}
