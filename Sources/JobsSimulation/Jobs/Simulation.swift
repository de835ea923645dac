import Jobs

/// A cluster in one value: workers, database, KMS, object store and everything on its way between them.
///
/// The machines that decide are the engine's own; what the engine does in SQL around them is done here on arrays. After every event
/// the invariants are checked, and behind the last one everything is healed and must come to its end.
package struct Simulation: Sendable {
    let settings: SimulationSettings
    var now = 0
    var step = 0
    var workers: [SimulatedWorker]
    var database: SimulatedDatabase
    var kms = SimulatedKMS()
    var store: SimulatedStore
    var requests: [SimulatedRequest] = []
    var sealings = 0
    /// Of each published chunk, what was sealed into it.
    var recorded: [ObjectKey: SimulatedContent] = [:]
    var published: [Int: [ObjectKey]] = [:]
    /// When grants of a job were last retired or listed, and when one was revoked and a confirmation was asked.
    var lastRetirement: [Int: Int] = [:]
    var revokedAt: [Int: Int] = [:]
    var confirmedAt: [Int: Int] = [:]
    var databaseClockJumped = false

    /// - Parameter plan: drawn from it: how many tasks each job has, and how many chunks each task.
    package init(_ settings: SimulationSettings, plan: inout SimulationChance) {
        self.settings = settings
        workers = Array(repeating: SimulatedWorker(), count: settings.workers)
        let plans = (0..<settings.jobs).map { _ in
            (0..<Int.random(in: 0...settings.tasksMax, using: &plan)).map { _ in
                Int.random(in: 1...settings.chunksMax, using: &plan)
            }
        }
        database = SimulatedDatabase(settings, plans: plans)
        store = SimulatedStore(writesOver: settings.sabotage == .writeOnce)
    }

    static let origin = ContinuousClock.now

    var databaseNow: Int { now + database.clockOffset }

    func localTime(_ worker: Int) -> ContinuousClock.Instant {
        Self.origin + .milliseconds(now + workers[worker].clockOffset)
    }

    func believes(_ holding: SimulatedHolding, _ worker: Int) -> Bool {
        settings.sabotage == .expiry || holding.window.holds(at: localTime(worker))
    }

    package mutating func happen(_ event: SimulationEvent) {
        step += 1
        switch event {
        case .work(let worker, let holding): work(worker, holding)
        case .claim(let worker): claim(worker)
        case .beat(let worker): beat(worker)
        case .deliver(let number):
            if let index = request(number, replied: false) { deliver(index) }
        case .answer(let number):
            if let index = request(number, replied: true) { receive(index) }
        case .loseRequest(let number): lose(request(number, replied: false))
        case .loseAnswer(let number): lose(request(number, replied: true))
        case .kill(let worker): workers[worker].die()
        case .pause(let worker): workers[worker].isPaused = workers[worker].isAlive
        case .resume(let worker):
            workers[worker].isAlive = true
            workers[worker].isPaused = false
        case .cut(let worker): workers[worker].isCutOff = true
        case .mend(let worker): workers[worker].isCutOff = false
        case .wait(let milliseconds): pass(milliseconds)
        case .jumpWorkerClock(let worker, let milliseconds): workers[worker].clockOffset += milliseconds
        case .jumpDatabaseClock(let milliseconds):
            databaseClockJumped = true
            // What waits for a time that was moved away waits as long as the clock was wrong.
            let bound = settings.databaseClockErrorMax
            database.clockOffset = min(bound, max(-bound, database.clockOffset + milliseconds))
        case .stop(let job): stop(job % database.jobs.count)
        case .revoke(let grant): revoke(grant)
        case .kms(let up): kms.isUp = up
        case .sweep: sweep()
        case .reconcile: reconcile()
        case .collect: collect()
        }
    }

    private func request(_ number: Int, replied: Bool) -> Int? {
        let candidates = requests.indices.filter {
            (requests[$0].reply != nil) == replied && !workers[requests[$0].worker].isCutOff
        }
        return candidates.isEmpty ? nil : candidates[number % candidates.count]
    }

    /// Whoever waits for the answer learns only that none came.
    private mutating func lose(_ index: Int?) {
        guard let index else { return }
        requests[index].reply = .unavailable
        receive(index)
    }

    mutating func pass(_ milliseconds: Int) {
        now += milliseconds
        // Connections time out: what did not arrive by now never will, and whoever waits is told.
        var index = 0
        while index < requests.count {
            if requests[index].reply == nil, now - requests[index].sentAt > settings.requestLifetime {
                let before = requests.count
                lose(index)
                // A paused worker finds it when it goes on.
                if requests.count == before { index += 1 }
            } else {
                index += 1
            }
        }
    }

    private mutating func stop(_ job: Int) {
        var machine = database.jobs[job].machine
        switch machine.stopRequested(hasTraces: database.hasTraces(job, now: databaseNow)) {
        case .endAtOnce:
            database.jobs[job].machine = machine
            for task in database.tasks.indices where database.tasks[task].job == job {
                database.tasks[task].machine.cancelled()
            }
        case .cleanUp:
            database.jobs[job].machine = machine
            database.fenceOff(job, now: databaseNow)
        case .alreadyDecided, .alreadyEnding, .alreadyEnded: break
        }
    }

    private mutating func revoke(_ number: Int) {
        let alive = kms.grants.indices.filter { kms.grants[$0].isAlive }
        guard !alive.isEmpty else { return }
        let index = alive[number % alive.count]
        kms.grants[index].isAlive = false
        let grant = kms.grants[index]
        // A revocation while the grant is being retired is one of the ways in which it ends.
        if database.jobs[grant.job].grants[grant.number].map({ $0.state == .active && $0.id == index }) ?? false {
            revokedAt[grant.job] = revokedAt[grant.job] ?? step
        }
    }
}
