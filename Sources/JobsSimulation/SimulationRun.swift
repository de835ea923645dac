/// One schedule: drawn from a seed, run to its calm, and made short where it fails.
package struct SimulationRun: Sendable {
    package let settings: SimulationSettings
    package let seed: UInt64

    package init(_ settings: SimulationSettings, seed: UInt64) {
        self.settings = settings
        self.seed = seed
    }

    /// The schedule of the seed.
    package var schedule: [SimulationEvent] {
        var chance = SimulationChance(seed)
        return (0..<settings.events).map { _ in SimulationEvent.draw(settings, using: &chance) }
    }

    package func failure() -> Simulation.Failure? { failure(of: schedule) }

    /// What a schedule of this seed's jobs comes to.
    package func failure(of schedule: [SimulationEvent]) -> Simulation.Failure? {
        var plan = SimulationChance(seed ^ 0x5151_5151)
        var simulation = Simulation(settings, plan: &plan)
        for (index, event) in schedule.enumerated() {
            simulation.happen(event)
            if let rule = simulation.brokenRule() { return .init(rule: rule, event: index) }
        }
        return calm(&simulation, from: schedule.count)
    }

    /// Everything is healed: within so many rounds everything must be over.
    private static let calmRounds = 900
    private static let roundMilliseconds = 700

    private func calm(_ simulation: inout Simulation, from start: Int) -> Simulation.Failure? {
        simulation.happen(.kms(up: true))
        // A clock that was set back holds everything up for as long as it is behind.
        simulation.database.clockOffset = max(0, simulation.database.clockOffset)
        for round in 0..<Self.calmRounds {
            for event in Self.round(round, settings, simulation.requests.count) {
                simulation.happen(event)
                if let rule = simulation.brokenRule() { return .init(rule: rule, event: start + round) }
            }
            if round % 20 == 19, simulation.unfinished() == nil, simulation.requests.isEmpty { return nil }
        }
        return simulation.unfinished().map { .init(rule: $0, event: start + Self.calmRounds) }
    }

    private static func round(_ number: Int, _ settings: SimulationSettings, _ pending: Int) -> [SimulationEvent] {
        var events: [SimulationEvent] = []
        for worker in 0..<settings.workers {
            events += [.resume(worker: worker), .beat(worker: worker), .claim(worker: worker)]
            // Late, so that others have taken over what it held before its last requests arrive.
            if number * roundMilliseconds > 2 * settings.lease { events.append(.mend(worker: worker)) }
            events += (0..<settings.slots).map { _ in .work(worker: worker, holding: 0) }
        }
        let requests = pending + settings.workers * (2 + settings.slots)
        events += (0..<requests).map { _ in .deliver(0) } + (0..<requests).map { .answer($0) }
        return events + [.wait(milliseconds: roundMilliseconds), .sweep, .reconcile, .collect]
    }

    /// Leaves out events for as long as the schedule still fails (delta debugging, Zeller and Hildebrandt 2002).
    ///
    /// - Returns: the short schedule and what it comes to; nil where this one does not fail.
    package func shrunk() -> (schedule: [SimulationEvent], failure: Simulation.Failure)? {
        var schedule = schedule
        guard var failure = failure(of: schedule) else { return nil }
        if failure.event < schedule.count { schedule = Array(schedule[...failure.event]) }
        var size = max(1, schedule.count / 2)
        while true {
            var start = 0
            var isShorter = false
            while start < schedule.count {
                var candidate = schedule
                candidate.removeSubrange(start..<min(start + size, schedule.count))
                if let still = self.failure(of: candidate) {
                    (schedule, failure, isShorter) = (candidate, still, true)
                } else {
                    start += size
                }
            }
            if size == 1, !isShorter { return (schedule, failure) }
            size = max(1, size / 2)
        }
    }
}
