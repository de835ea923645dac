/// One thing that happens in a schedule. Numbers are taken modulo what there is, so that an event still means something when
/// others before it were left out.
package enum SimulationEvent: Sendable, Hashable, CustomStringConvertible {
    /// A worker sends the next request of a task that it holds.
    case work(worker: Int, holding: Int)
    case claim(worker: Int)
    case beat(worker: Int)
    /// A request reaches its server and takes effect.
    case deliver(Int)
    case loseRequest(Int)
    /// The answer to a request that took effect reaches its worker.
    case answer(Int)
    case loseAnswer(Int)
    case kill(worker: Int)
    case pause(worker: Int)
    case resume(worker: Int)
    /// Nothing that the worker sent or is sent arrives until it is mended.
    case cut(worker: Int)
    case mend(worker: Int)
    case wait(milliseconds: Int)
    case jumpWorkerClock(worker: Int, milliseconds: Int)
    case jumpDatabaseClock(milliseconds: Int)
    case stop(job: Int)
    case revoke(grant: Int)
    case kms(up: Bool)
    case sweep
    case reconcile
    case collect

    package var description: String {
        switch self {
        case .work(let worker, let holding): "worker \(worker) works on its task \(holding)"
        case .claim(let worker): "worker \(worker) asks for tasks"
        case .beat(let worker): "worker \(worker) renews its leases"
        case .deliver(let request): "request \(request) takes effect"
        case .loseRequest(let request): "request \(request) is lost"
        case .answer(let request): "answer \(request) arrives"
        case .loseAnswer(let request): "answer \(request) is lost"
        case .kill(let worker): "worker \(worker) is killed"
        case .pause(let worker): "worker \(worker) is paused"
        case .resume(let worker): "worker \(worker) goes on"
        case .cut(let worker): "worker \(worker) is cut off"
        case .mend(let worker): "worker \(worker) is reached again"
        case .wait(let milliseconds): "\(milliseconds) ms pass"
        case .jumpWorkerClock(let worker, let milliseconds): "the clock of worker \(worker) jumps \(milliseconds) ms"
        case .jumpDatabaseClock(let milliseconds): "the database's clock jumps \(milliseconds) ms"
        case .stop(let job): "job \(job) is stopped"
        case .revoke(let grant): "grant \(grant) is revoked"
        case .kms(let up): up ? "KMS is back" : "KMS is away"
        case .sweep: "a sweep"
        case .reconcile: "grants are reconciled"
        case .collect: "objects are collected"
        }
    }
}

extension Simulation {
    /// Draws the events of a schedule. Progress is likelier than faults, or nothing would ever get far.
    package static func draw(_ settings: SimulationSettings, using chance: inout SimulationChance) -> SimulationEvent {
        let worker = Int.random(in: 0..<settings.workers, using: &chance)
        let number = Int.random(in: 0..<8, using: &chance)
        switch Int.random(in: 0..<1000, using: &chance) {
        case ..<260: return .work(worker: worker, holding: number)
        case ..<520: return .deliver(number)
        case ..<750: return .answer(number)
        case ..<800: return .claim(worker: worker)
        case ..<850: return .beat(worker: worker)
        case ..<866: return .loseRequest(number)
        case ..<882: return .loseAnswer(number)
        case ..<890: return .kill(worker: worker)
        case ..<900: return .pause(worker: worker)
        case ..<908: return .resume(worker: worker)
        case ..<920: return .cut(worker: worker)
        case ..<930: return .mend(worker: worker)
        case ..<965: return .wait(milliseconds: [1, 50, 500, settings.lease / 2, settings.lease + 1, 15_000][number % 6])
        case ..<970: return .stop(job: number)
        case ..<975: return .revoke(grant: number)
        case ..<978: return .kms(up: number < 5)
        case ..<985: return .sweep
        case ..<990: return .reconcile
        case ..<994: return .collect
        case ..<997: return settings.clocksJump ? .jumpWorkerClock(worker: worker, milliseconds: 100_000) : .sweep
        default: return settings.clocksJump ? .jumpDatabaseClock(milliseconds: number < 4 ? 200_000 : -200_000) : .sweep
        }
    }
}
