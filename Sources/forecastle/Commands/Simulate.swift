import ArgumentParser
import Foundation
import JobsSimulation

/// `forecastle simulate`: the job engine's own machines under random schedules of crashes, delays, duplicates, lost messages and clocks
/// that jump.
struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the job engine's state machines under random schedules of faults.",
        discussion: "Exit codes: 0 no schedule broke a rule, 1 one did: its seed and a short schedule are printed.")

    /// Schedules that one thread runs before it looks around.
    private static let batch: UInt64 = 500

    @Option(help: "How many schedules.") var schedules: UInt64 = 100_000
    @Option(help: "Seed of the first; the others follow.") var seed: UInt64 = 0
    @Option(help: "Workers of the simulated cluster.") var workers = 3
    @Option(help: "Jobs of the simulated cluster.") var jobs = 1
    @Option(help: "Events of a schedule, before the calm in which everything must end.") var events = 250
    @Option(help: "A rule to leave out, to see that it is noticed.") var without: SimulationSettings.Sabotage?
    @Option(
        help: "One large fleet instead of schedules, with so many customers' accounts: shares and recovery; up to 10000 workers.")
    var accounts: Int?
    @Flag(help: "Write JSON.") var json = false

    func validate() throws {
        if let accounts {
            guard (1...10_000_000).contains(accounts), (1...10_000).contains(workers), (1...1_000_000).contains(jobs) else {
                throw ValidationError("--accounts takes 1 to 10000000, then --workers 1 to 10000, --jobs 1 to 1000000")
            }
            return
        }
        guard (1...16).contains(workers), (1...16).contains(jobs), (1...100_000).contains(events), schedules > 0 else {
            throw ValidationError("--workers and --jobs take 1 to 16, --events 1 to 100000, --schedules at least 1")
        }
    }

    func run() async throws {
        if let accounts { return try runFleet(accounts) }
        var settings = SimulationSettings()
        settings.workers = workers
        settings.jobs = jobs
        settings.events = events
        settings.sabotage = without
        let began = ContinuousClock.now
        let failed = await firstFailure(settings)
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        guard let failed, let found = SimulationRun(settings, seed: failed).shrunk() else {
            print(
                json
                    ? #"{"schedules": \#(schedules), "seconds": \#(seconds), "failure": null}"#
                    : "\(schedules) schedules, no rule broken, \(Int(seconds.rounded())) s")
            return
        }
        let steps = found.schedule.map(\.description)
        if json {
            let list = steps.map { "\"\($0)\"" }.joined(separator: ", ")
            print(#"{"seed": \#(failed), "failure": "\#(found.failure.rule)", "schedule": [\#(list)]}"#)
        } else {
            print("seed \(failed): \(found.failure)")
            for step in steps { print("  \(step)") }
        }
        throw ExitCode.failure
    }

    private func runFleet(_ accounts: Int) throws {
        var settings = ScaleSettings()
        settings.workers = workers
        settings.accounts = accounts
        settings.jobs = jobs
        settings.heavyAccounts = min(settings.heavyAccounts, accounts)
        // A fifth of the work comes as backlogs.
        settings.heavyJobs = max(1, jobs / 5 / settings.heavyAccounts)
        settings.seed = seed
        let began = ContinuousClock.now
        var simulation = ScaleSimulation(settings)
        let report = simulation.run()
        let text = FleetText(settings: settings, report: report, seconds: (ContinuousClock.now - began) / .seconds(1))
        print(json ? text.json : text.lines.joined(separator: "\n"))
        if !report.broken.isEmpty { throw ExitCode.failure }
    }

    /// The lowest seed of the first batch that has one which fails.
    private func firstFailure(_ settings: SimulationSettings) async -> UInt64? {
        await withTaskGroup(of: UInt64?.self) { group in
            let end = seed + schedules
            var next = seed
            func addBatch() {
                guard next < end else { return }
                let seeds = next..<min(next + Self.batch, end)
                next = seeds.upperBound
                group.addTask { seeds.first { SimulationRun(settings, seed: $0).failure() != nil } }
            }
            for _ in 0..<ProcessInfo.processInfo.activeProcessorCount { addBatch() }
            while let answer = await group.next() {
                if let answer {
                    group.cancelAll()
                    return answer
                }
                addBatch()
            }
            return nil
        }
    }
}

extension SimulationSettings.Sabotage: ExpressibleByArgument {}
