/// Simulated parts and everything on its way between them, in one value.
///
/// The machines that decide are the product's own; what the product does around them is done on arrays. A schedule is a list of
/// events; behind the last one the world becomes calm, and everything must come to its end.
package protocol SimulatedWorld: Sendable {
    associatedtype Settings: SimulatedSettings
    associatedtype Event: Sendable, Hashable, CustomStringConvertible

    /// - Parameter plan: what differs from seed to seed besides the schedule is drawn from it.
    init(_ settings: Settings, plan: inout SimulationChance)

    static func draw(_ settings: Settings, using chance: inout SimulationChance) -> Event

    mutating func happen(_ event: Event)

    /// What must hold after every event; nil where it does.
    func brokenRule() -> String?

    /// Heals everything, and waits.
    ///
    /// - Returns: what does not hold then, and after how many rounds.
    mutating func calm() -> (rule: String, round: Int)?
}

/// The size of a world, and what may go wrong in it.
package protocol SimulatedSettings: Sendable {
    /// A rule left out on purpose, to see that the simulation notices.
    associatedtype Sabotage: RawRepresentable<String>, CaseIterable, Sendable

    init()
    /// Events before the calm.
    var events: Int { get set }
    var sabotage: Sabotage? { get set }
}

/// What went wrong, and at which event; those beyond the schedule are of the calm behind it.
package struct SimulationFailure: Error, Sendable, CustomStringConvertible {
    package let rule: String
    package let event: Int

    package var description: String { "\(rule) (event \(event))" }
}
