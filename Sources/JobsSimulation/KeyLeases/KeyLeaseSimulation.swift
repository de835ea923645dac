import Artifacts

/// Processes that hold data keys under one grant, KMS, and announcements: from a revocation's commit on, no key is used longer
/// than the bound, whatever is lost, delayed, doubled or held up.
///
/// `KeyLeaseStateMachine` decides, as in the product; what `KeyLease` and its keeper do around it is done here.
package struct KeyLeaseSimulation: SimulatedWorld {
    struct Lease {
        var machine: KeyLeaseStateMachine
        /// Data keys in memory that are not wiped.
        var secrets = 0
    }

    struct Process {
        /// Grows with each start: answers for an earlier life reach nobody.
        var life = 0
        var isPaused = false
        /// Of its monotonic clock: it may jump ahead, never back.
        var clockOffset = 0
        /// Since when it ran without being held up, in true time.
        var runsSince = 0
        /// One after the other: what is lost or released stays so.
        var leases: [Lease] = []
    }

    /// A question to KMS on its way, or its answer on the way back.
    struct Question {
        enum What {
            case renewal(Int)
            /// A data key is asked for, to be held.
            case dataKey
            /// Once more before publishing.
            case confirmation
        }

        let process: Int
        let life: Int
        let lease: Int
        let what: What
        let sentAt: Int
        let askedAt: Duration
        var answer: KeyLeaseAnswer?
    }

    enum KMS { case up, failing, silent }

    let settings: KeyLeaseSimulationSettings
    let timing: KeyLeaseTiming
    var now = 0
    var processes: [Process]
    var questions: [Question] = []
    /// The processes that announcements are on their way to, one each.
    var announcements: [Int] = []
    var kms = KMS.up
    var revokedAt: Int?
    /// The longest that a key was used after the revocation.
    var lateUse: Int?

    package init(_ settings: KeyLeaseSimulationSettings, plan: inout SimulationChance) {
        self.settings = settings
        timing = settings.timing
        processes = (0..<settings.processes).map { _ in
            Process(clockOffset: Int.random(in: 0..<100_000, using: &plan))
        }
    }

    package mutating func happen(_ event: KeyLeaseEvent) {
        switch event {
        case .askKey(let process): askKey(process)
        case .use(let process): use(process)
        case .confirm(let process): confirm(process)
        case .release(let process): release(process)
        case .deliver(let number): pick(number, answered: false).map { deliver($0) }
        case .answer(let number): pick(number, answered: true).map { receive($0) }
        case .lose(let number): pick(number, answered: false).map { fail($0) }
        case .exchange: exchange()
        case .hear(let number, let stays): hear(number, stays: stays)
        case .miss(let number): if !announcements.isEmpty { announcements.remove(at: number % announcements.count) }
        case .announce: announcements += processes.indices
        case .revoke: revoke()
        case .kms(let state): kms = state == 0 ? .up : state == 1 ? .failing : .silent
        case .kill(let process): processes[process] = Process(life: processes[process].life + 1, runsSince: now)
        case .pause(let process): processes[process].isPaused = true
        case .resume(let process): resume(process)
        case .jumpClock(let process, let milliseconds): processes[process].clockOffset += milliseconds
        case .wait(let milliseconds): pass(milliseconds)
        }
        // A process that was just let go on may work before its keeper does.
        if case .resume = event { return }
        beat()
    }

    func localTime(_ process: Int) -> Duration { .milliseconds(now + processes[process].clockOffset) }

    private func pick(_ number: Int, answered: Bool) -> Int? {
        let candidates = questions.indices.filter { (questions[$0].answer != nil) == answered }
        return candidates.isEmpty ? nil : candidates[number % candidates.count]
    }
}
