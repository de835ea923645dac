import JobsSimulation
import Testing

/// A bounded share of what `forecastle simulate` runs by the million.
@Suite struct SimulationTests {
    private func firstFailure(_ settings: SimulationSettings, seeds: Range<UInt64>) -> SimulationRun? {
        seeds.lazy.map { SimulationRun(settings, seed: $0) }.first { $0.failure() != nil }
    }

    @Test func noScheduleBreaksARule() throws {
        let failed = firstFailure(SimulationSettings(), seeds: 0..<3000)
        if let found = failed?.shrunk() {
            Issue.record(
                "seed \(failed?.seed ?? 0): \(found.failure)\n\(found.schedule.map(\.description).joined(separator: "\n"))")
        }
        #expect(failed == nil)
    }

    @Test func noScheduleBreaksARuleWhileClocksAreRight() throws {
        var settings = SimulationSettings()
        settings.clocksJump = false
        settings.workers = 2
        settings.jobs = 1
        settings.events = 300
        let failed = firstFailure(settings, seeds: 1_000_000..<1_002_000)
        if let found = failed?.shrunk() {
            Issue.record(
                "seed \(failed?.seed ?? 0): \(found.failure)\n\(found.schedule.map(\.description).joined(separator: "\n"))")
        }
        #expect(failed == nil)
    }

    /// A rule that is left out is missed: what the simulation would find, it finds.
    @Test(arguments: SimulationSettings.Sabotage.allCases)
    func leavingOutARuleIsNoticedAndTheScheduleMadeShort(sabotage: SimulationSettings.Sabotage) throws {
        var settings = SimulationSettings()
        settings.sabotage = sabotage
        let failed = try #require(firstFailure(settings, seeds: 0..<60_000), "no schedule noticed it")
        let found = try #require(failed.shrunk())
        #expect(found.schedule.count < failed.schedule.count)
        #expect(SimulationRun(settings, seed: failed.seed).failure(of: found.schedule) != nil)
        settings.sabotage = nil
        #expect(SimulationRun(settings, seed: failed.seed).failure(of: found.schedule) == nil, "\(found.failure)")
    }

    @Test func aSeedGivesTheSameScheduleAndTheSameEnd() {
        var settings = SimulationSettings()
        settings.sabotage = .fences
        for seed in UInt64(0)..<20 {
            let first = SimulationRun(settings, seed: seed)
            let second = SimulationRun(settings, seed: seed)
            #expect(first.schedule == second.schedule)
            #expect(first.failure()?.description == second.failure()?.description)
        }
    }
}
