extension Simulation: SimulatedWorld {
    package typealias Settings = SimulationSettings
    package typealias Event = SimulationEvent

    /// Everything is healed: within so many rounds everything must be over.
    private static let calmRounds = 900
    private static let roundMilliseconds = 700

    package mutating func calm() -> (rule: String, round: Int)? {
        happen(.kms(up: true))
        // A clock that was set back holds everything up for as long as it is behind.
        database.clockOffset = max(0, database.clockOffset)
        for round in 0..<Self.calmRounds {
            for event in Self.round(round, settings, requests.count) {
                happen(event)
                if let rule = brokenRule() { return (rule, round) }
            }
            if round % 20 == 19, unfinished() == nil, requests.isEmpty { return nil }
        }
        return unfinished().map { ($0, Self.calmRounds) }
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
}
