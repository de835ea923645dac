import JobsSimulation
import Testing

/// A fleet with many customers, driven by the engine's machines.
@Suite struct ScaleSimulationTests {
    private func settings(seed: UInt64) -> ScaleSettings {
        var settings = ScaleSettings()
        settings.workers = 20
        settings.accounts = 5000
        settings.jobs = 200
        settings.heavyAccounts = 5
        settings.heavyJobs = 100
        settings.arrivalPeriod = 60_000
        settings.millisecondsBetweenCrashes = 20_000
        settings.seed = seed
        return settings
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func everyJobIsPublishedOnceAndCrashesAreRecoveredFrom(seed: UInt64) {
        let settings = settings(seed: seed)
        var simulation = ScaleSimulation(settings)
        let report = simulation.run()
        #expect(report.broken.isEmpty, "\(report.broken)")
        #expect(report.jobs == 200 + 5 * 100)
        #expect(report.crashes > 0 && report.standstills > 0 && !report.recoveries.isEmpty)
        // No lease is taken over before it has lapsed.
        #expect(report.recoveries.allSatisfy { $0 >= settings.lease - settings.beat })
        // One job is not held up by somebody's backlog: nearly all end while half of the backlog waits.
        #expect(ScaleReport.percentile(report.lightTimes, 0.9) < ScaleReport.percentile(report.heavyTimes, 0.5))
        #expect(report.fairness > 0.8)
    }

    @Test func aSeedGivesTheSameRun() {
        var (one, other) = (ScaleSimulation(settings(seed: 9)), ScaleSimulation(settings(seed: 9)))
        let (first, second) = (one.run(), other.run())
        #expect(first.milliseconds == second.milliseconds && first.recoveries == second.recoveries)
        #expect(first.heavyShares == second.heavyShares && first.claims == second.claims)
    }
}
