/// One thing that happens to the outbox. Numbers are taken modulo what there is.
package enum OutboxEvent: Sendable, Hashable, CustomStringConvertible {
    /// A transaction begins and appends, a message that Kafka never takes or one like all others.
    case begin(isPoison: Bool)
    case commit(Int)
    case rollBack(Int)
    case look
    case claim(relay: Int, isHeard: Bool)
    case publish(relay: Int, OutboxSimulation.Outcome)
    case settle(relay: Int)
    case kill(relay: Int)
    case pause(relay: Int)
    case resume(relay: Int)
    case broker(up: Bool)
    /// The broker loses all that nobody has heard.
    case forget
    case hear(Int, stays: Bool)
    case sweep
    case jumpClock(milliseconds: Int)
    case wait(milliseconds: Int)

    package var description: String {
        switch self {
        case .begin(let isPoison): "a transaction appends\(isPoison ? " what Kafka never takes" : "")"
        case .commit(let number): "transaction \(number) is committed"
        case .rollBack(let number): "transaction \(number) is rolled back"
        case .look: "the rows are counted"
        case .claim(let relay, let isHeard): "relay \(relay) claims\(isHeard ? "" : ", and hears no answer")"
        case .publish(let relay, let outcome):
            switch outcome {
            case .acknowledged: "relay \(relay) publishes a message"
            case .unheard: "relay \(relay) publishes a message and hears no answer"
            case .lost: "a message of relay \(relay) is lost"
            }
        case .settle(let relay): "relay \(relay) removes and gives back"
        case .kill(let relay): "relay \(relay) is killed"
        case .pause(let relay): "relay \(relay) is held up"
        case .resume(let relay): "relay \(relay) goes on"
        case .broker(let up): up ? "the broker is back" : "the broker is away"
        case .forget: "the broker loses its messages"
        case .hear(let number, let stays): "message \(number) is heard\(stays ? ", and will be again" : "")"
        case .sweep: "a sweep"
        case .jumpClock(let milliseconds): "the database's clock jumps \(milliseconds) ms"
        case .wait(let milliseconds): "\(milliseconds) ms pass"
        }
    }
}

extension OutboxSimulation {
    package static func draw(_ settings: OutboxSimulationSettings, using chance: inout SimulationChance) -> OutboxEvent {
        let relay = Int.random(in: 0..<settings.relays, using: &chance)
        let number = Int.random(in: 0..<8, using: &chance)
        switch Int.random(in: 0..<1000, using: &chance) {
        case ..<140: return .begin(isPoison: number == 0)
        case ..<270: return .commit(number)
        case ..<290: return .rollBack(number)
        case ..<310: return .look
        case ..<420: return .claim(relay: relay, isHeard: number > 0)
        case ..<590: return .publish(relay: relay, [.acknowledged, .unheard, .lost][max(0, number - 5)])
        case ..<680: return .settle(relay: relay)
        case ..<695: return .kill(relay: relay)
        case ..<715: return .pause(relay: relay)
        case ..<745: return .resume(relay: relay)
        case ..<765: return .broker(up: number < 5)
        case ..<780: return .forget
        case ..<850: return .hear(number, stays: number == 0)
        case ..<880: return .sweep
        case ..<886: return settings.clocksJump ? .jumpClock(milliseconds: number < 4 ? 200_000 : -200_000) : .sweep
        default:
            return .wait(
                milliseconds: [1, 100, 1000, 1000, 5000, settings.publishing, settings.lease + 1, settings.lease * 2][number])
        }
    }
}
