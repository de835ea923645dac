import AWSProtocol
import ArgumentParser
import Foundation
import JobsSimulation

/// `forecastle simulate`: the product's own machines under random schedules of crashes, delays, duplicates, lost messages and clocks
/// that jump.
struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the state machines of jobs, key leases and outbox under random schedules of faults.",
        discussion: """
            Exit codes: 0 no schedule broke a rule, 1 one did: its seed and a short schedule are printed. Rules to leave out: \
            of jobs \(Rules.names(Simulation.self)); of key-leases \(Rules.names(KeyLeaseSimulation.self)); of outbox \
            \(Rules.names(OutboxSimulation.self)).
            """)

    enum World: String, CaseIterable, ExpressibleByArgument {
        case jobs
        case keyLeases = "key-leases"
        case outbox
        case all
    }

    @Option(help: "Of what: \(World.allCases.map(\.rawValue).joined(separator: ", ")).") var of = World.all
    @Option(help: "How many schedules, of each.") var schedules: UInt64 = 100_000
    @Option(help: "Seed of the first; the others follow.") var seed: UInt64 = 0
    @Option(help: "Workers of the simulated cluster.") var workers = 3
    @Option(help: "Jobs of the simulated cluster.") var jobs = 1
    @Option(help: "Events of a schedule, before the calm in which everything must end.") var events: Int?
    @Option(help: "A rule to leave out, to see that it is noticed; says of what, too.") var without: String?
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
        guard (1...16).contains(workers), (1...16).contains(jobs), (1...100_000).contains(events ?? 1), schedules > 0,
            schedules <= UInt64.max - seed
        else {
            throw ValidationError("--workers and --jobs take 1 to 16, --events 1 to 100000, --schedules at least 1")
        }
        guard let without else { return }
        guard let world = Rules.world(of: without) else { throw ValidationError("--without: there is no rule \(without)") }
        guard of == .all || of == world else { throw ValidationError("--without: \(without) is a rule of \(world.rawValue)") }
    }

    func run() async throws {
        if let accounts { return try runFleet(accounts) }
        let wanted = without.flatMap(Rules.world(of:)) ?? of
        var reports: [JSONObject] = []
        var failed = false
        for world in World.allCases where world != .all && (wanted == .all || wanted == world) {
            let report =
                switch world {
                case .jobs: await search(Simulation.self, world) { ($0.workers, $0.jobs) = (workers, jobs) }
                case .keyLeases: await search(KeyLeaseSimulation.self, world)
                case .outbox: await search(OutboxSimulation.self, world)
                case .all: preconditionFailure("All of them is none of them.")
                }
            reports.append(report)
            failed = failed || report["seed"] != nil
        }
        if json { print(JSONValue.lines(reports)) }
        if failed { throw ExitCode.failure }
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

    private func search<W: SimulatedWorld>(
        _: W.Type, _ name: World, _ change: (inout W.Settings) -> Void = { _ in }
    ) async -> JSONObject {
        var settings = W.Settings()
        change(&settings)
        if let events { settings.events = events }
        settings.sabotage = without.flatMap { W.Settings.Sabotage(rawValue: $0) }
        let began = ContinuousClock.now
        let failed = await SimulationSearch<W>(settings).firstFailure(seeds: seed..<(seed + schedules))
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        guard let failed, let found = SimulationRun<W>(settings, seed: failed).shrunk() else {
            if !json { print("\(name.rawValue): \(schedules) schedules, no rule broken, \(Int(seconds.rounded())) s") }
            return [
                "of": .string(name.rawValue), "schedules": .int(Int64(clamping: schedules)), "seconds": .double(seconds),
                "failure": .null,
            ]
        }
        let steps = found.schedule.map(\.description)
        if !json {
            print("\(name.rawValue), seed \(failed): \(found.failure)")
            for step in steps { print("  \(step)") }
        }
        return [
            "of": .string(name.rawValue), "seed": .int(Int64(clamping: failed)), "failure": .string(found.failure.rule),
            "schedule": .array(steps.map { .string($0) }),
        ]
    }

    /// The rules that can be left out, by their names.
    private enum Rules {
        static func names<W: SimulatedWorld>(_: W.Type) -> String {
            W.Settings.Sabotage.allCases.map(\.rawValue).joined(separator: ", ")
        }

        static func world(of rule: String) -> World? {
            if SimulationSettings.Sabotage(rawValue: rule) != nil { return .jobs }
            if KeyLeaseSimulationSettings.Sabotage(rawValue: rule) != nil { return .keyLeases }
            return OutboxSimulationSettings.Sabotage(rawValue: rule).map { _ in .outbox }
        }
    }
}
