/// One thing that happens to key leases. Numbers are taken modulo what there is, so that an event still means something when
/// others before it were left out.
package enum KeyLeaseEvent: Sendable, Hashable, CustomStringConvertible {
    case askKey(Int)
    case use(Int)
    case confirm(Int)
    case release(Int)
    case deliver(Int)
    case answer(Int)
    case lose(Int)
    case exchange
    /// An announcement arrives; where it stays, it will again.
    case hear(Int, stays: Bool)
    case miss(Int)
    /// Of something else: a policy, another grant.
    case announce
    case revoke
    /// 0 up, 1 failing, 2 silent.
    case kms(Int)
    case kill(Int)
    case pause(Int)
    case resume(Int)
    case jumpClock(Int, milliseconds: Int)
    case wait(milliseconds: Int)

    package var description: String {
        switch self {
        case .askKey(let process): "process \(process) asks for a data key"
        case .use(let process): "process \(process) uses its key"
        case .confirm(let process): "process \(process) asks once more, before publishing"
        case .release(let process): "process \(process) is done"
        case .deliver(let question): "question \(question) reaches KMS"
        case .answer(let question): "answer \(question) arrives"
        case .lose(let question): "question \(question) is lost"
        case .exchange: "all questions are answered"
        case .hear(let announcement, let stays):
            "announcement \(announcement) arrives\(stays ? ", and will again" : "")"
        case .miss(let announcement): "announcement \(announcement) is lost"
        case .announce: "something else is announced"
        case .revoke: "the grant is revoked"
        case .kms(let state): ["KMS is back", "KMS fails", "KMS is silent"][state]
        case .kill(let process): "process \(process) is killed"
        case .pause(let process): "process \(process) is held up"
        case .resume(let process): "process \(process) goes on"
        case .jumpClock(let process, let milliseconds): "the clock of process \(process) jumps \(milliseconds) ms"
        case .wait(let milliseconds): "\(milliseconds) ms pass"
        }
    }
}

extension KeyLeaseSimulation {
    package static func draw(
        _ settings: KeyLeaseSimulationSettings, using chance: inout SimulationChance
    ) -> KeyLeaseEvent {
        let process = Int.random(in: 0..<settings.processes, using: &chance)
        let number = Int.random(in: 0..<8, using: &chance)
        let interval = settings.intervalMilliseconds
        switch Int.random(in: 0..<1000, using: &chance) {
        case ..<90: return .askKey(process)
        case ..<290: return .use(process)
        case ..<320: return .confirm(process)
        case ..<330: return .release(process)
        case ..<430: return .deliver(number)
        case ..<530: return .answer(number)
        case ..<550: return .lose(number)
        case ..<610: return .exchange
        case ..<650: return .hear(number, stays: number == 0)
        case ..<665: return .miss(number)
        case ..<680: return .announce
        case ..<690: return .revoke
        case ..<715: return .kms([0, 0, 0, 0, 1, 1, 2, 2][number])
        case ..<722: return .kill(process)
        case ..<752: return .pause(process)
        case ..<792: return .resume(process)
        case ..<798:
            return settings.clocksJump
                ? .jumpClock(process, milliseconds: [1, interval, interval * 3, 100_000][number % 4]) : .exchange
        default:
            return .wait(
                milliseconds: [1, 50, 200, interval / 2, interval, interval + 1, interval * 2, interval * 4][number])
        }
    }
}
