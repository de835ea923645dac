/// One schedule: drawn from a seed, run to its calm, and made short where it fails.
package struct SimulationRun<World: SimulatedWorld>: Sendable {
    package let settings: World.Settings
    package let seed: UInt64

    package init(_ settings: World.Settings, seed: UInt64) {
        self.settings = settings
        self.seed = seed
    }

    /// The schedule of the seed.
    package var schedule: [World.Event] {
        var chance = SimulationChance(seed)
        return (0..<settings.events).map { _ in World.draw(settings, using: &chance) }
    }

    package func failure() -> SimulationFailure? { failure(of: schedule) }

    /// What a schedule comes to in this seed's world.
    package func failure(of schedule: [World.Event]) -> SimulationFailure? {
        var plan = SimulationChance(seed ^ 0x5151_5151)
        var world = World(settings, plan: &plan)
        for (index, event) in schedule.enumerated() {
            world.happen(event)
            if let rule = world.brokenRule() { return SimulationFailure(rule: rule, event: index) }
        }
        return world.calm().map { SimulationFailure(rule: $0.rule, event: schedule.count + $0.round) }
    }

    /// Leaves out events for as long as the schedule still fails (delta debugging, Zeller and Hildebrandt 2002).
    ///
    /// - Returns: the short schedule and what it comes to; nil where this one does not fail.
    package func shrunk() -> (schedule: [World.Event], failure: SimulationFailure)? {
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
