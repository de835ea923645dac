import FoundationEssentials
import Jobs

/// A large fleet with many customers, without faults of the network: what the engine's own machines decide about shares and
/// recovery when there are a thousand workers and a million accounts. Between decisions is nothing but the clock.
///
/// `FairShare`, `TaskStateMachine`, `JobStateMachine` and `TrustWindow` are the engine's. Around them stands what its
/// statements do: a claim looks at `JobStore.accountsMax` accounts behind its worker's cursor, lapsed leases first.
package struct ScaleSimulation {
    private enum Event {
        case arrive(account: Int, isHeavy: Bool)
        case beat(worker: Int, life: Int)
        case done(task: Int, worker: Int, life: Int, fence: Fence)
        case crash(worker: Int)
        case back(worker: Int, life: Int)
    }

    private struct Task {
        let job: Int
        let role: TaskRole
        let readyAt: Int
        var machine: TaskStateMachine
        /// When its worker went, until another has it.
        var orphanedAt: Int?
    }

    private struct Job {
        let account: Int
        let isHeavy: Bool
        let acceptedAt: Int
        let tasks: Int
        var machine = JobStateMachine()
        var isStarted = false
        var publications = 0
    }

    private struct Worker {
        var life = 0
        /// Nought of one that stands still or is away.
        var isUp = true
        var cursor = 0
        /// Tasks at work, with what it believes of each.
        var held: [Int: (fence: Fence, window: TrustWindow)] = [:]
    }

    private let settings: ScaleSettings
    private var chance: SimulationChance
    private var events = ScaleQueue<Event>()
    private var now = 0
    private var tasks: [Task] = []
    private var jobs: [Job] = []
    private var workers: [Worker]
    /// Ready tasks of each account, oldest first; taken ones are behind `heads`.
    private var ready: [Int: [Int]] = [:]
    private var heads: [Int: Int] = [:]
    private var waiting: AccountSet
    private var running: [Int: Int] = [:]
    /// Running tasks whose worker went: their leases lapse.
    private var orphans: [Int] = []
    private var open = 0
    private var heavyOpen: [Int: Int] = [:]
    private var heavyDone: [Int: Int] = [:]
    private var report = ScaleReport()
    private var nextIdle = 0

    private static let origin = ContinuousClock.now
    private static let kind = JobKind(rawValue: "import")

    package init(_ settings: ScaleSettings) {
        self.settings = settings
        chance = SimulationChance(settings.seed)
        workers = Array(repeating: Worker(), count: settings.workers)
        waiting = AccountSet(capacity: settings.accounts)
    }

    /// Until every job has ended.
    package mutating func run() -> ScaleReport {
        // All over the order in which accounts are walked.
        let heavy = (0..<settings.heavyAccounts).map { $0 * (settings.accounts / max(1, settings.heavyAccounts)) }
        let isHeavy = Set(heavy)
        for account in heavy {
            for _ in 0..<settings.heavyJobs { events.add(.arrive(account: account, isHeavy: true), at: 0) }
        }
        for _ in 0..<settings.jobs {
            var account = 0
            // Somebody's one job behind that account's own backlog would say nothing of shares.
            repeat {
                account = Int.random(in: 0..<settings.accounts, using: &chance)
            } while isHeavy.contains(account)
                && isHeavy.count < settings.accounts
            let time = Int.random(in: 0..<settings.arrivalPeriod, using: &chance)
            events.add(.arrive(account: account, isHeavy: false), at: time)
        }
        open = settings.jobs + settings.heavyAccounts * settings.heavyJobs
        for worker in workers.indices {
            events.add(.beat(worker: worker, life: 0), at: Int.random(in: 0..<settings.beat, using: &chance))
            planCrash(of: worker)
        }
        while open > 0, let (time, event) = events.next() {
            now = time
            happen(event)
        }
        return finished()
    }

    private mutating func happen(_ event: Event) {
        switch event {
        case .arrive(let account, let isHeavy): arrive(account, isHeavy)
        case .beat(let worker, let life):
            guard workers[worker].life == life else { return }
            events.add(.beat(worker: worker, life: life), at: now + settings.beat)
            guard workers[worker].isUp else { return }
            renew(worker)
            claim(worker)
        case .done(let task, let worker, let life, let fence): done(task, worker, life, fence)
        case .crash(let worker): crash(worker)
        case .back(let worker, let life):
            guard workers[worker].life == life else { return }
            workers[worker].isUp = true
            planCrash(of: worker)
        }
    }

    // MARK: Jobs

    private mutating func arrive(_ account: Int, _ isHeavy: Bool) {
        let count = Int.random(in: 1...settings.tasksMax, using: &chance)
        jobs.append(Job(account: account, isHeavy: isHeavy, acceptedAt: now, tasks: count))
        if isHeavy { heavyOpen[account, default: 0] += 1 }
        insert(job: jobs.count - 1, .plan)
        ring()
    }

    private mutating func insert(job: Int, _ role: TaskRole) {
        let account = jobs[job].account
        tasks.append(Task(job: job, role: role, readyAt: now, machine: TaskStateMachine(notBefore: date)))
        ready[account, default: []].append(tasks.count - 1)
        waiting.insert(account)
    }

    /// The doorbell of the next worker that has a free slot, as a message of a topic has one reader.
    private mutating func ring() {
        for step in 0..<min(8, workers.count) {
            let worker = (nextIdle + step) % workers.count
            guard workers[worker].isUp, workers[worker].held.count < settings.slots else { continue }
            nextIdle = worker + 1
            return claim(worker)
        }
        nextIdle = (nextIdle + 8) % workers.count
    }

    private mutating func done(_ task: Int, _ worker: Int, _ life: Int, _ fence: Fence) {
        guard workers[worker].life == life else { return }
        // One that stands still tries when it goes on.
        guard workers[worker].isUp else {
            return events.add(.done(task: task, worker: worker, life: life, fence: fence), at: now + settings.beat)
        }
        // It may have claimed the task again itself since: that attempt is another.
        let isCurrent = workers[worker].held[task]?.fence == fence
        let believed = isCurrent ? workers[worker].held.removeValue(forKey: task) : nil
        let holds = believed.map { $0.window.holds(at: instant) } ?? false
        let finished = tasks[task].machine.finished(by: fence)
        if holds, !finished { breakRule("a worker believed in a lease that another had") }
        guard finished else {
            report.refused += 1
            return claim(worker)
        }
        report.tasks += 1
        let job = tasks[task].job
        atWork(jobs[job].account, -1)
        if jobs[job].isHeavy, heavyOpen.count == settings.heavyAccounts { heavyDone[jobs[job].account, default: 0] += 1 }
        advance(job, tasks[task].role)
        claim(worker)
    }

    private mutating func advance(_ job: Int, _ role: TaskRole) {
        let epoch = jobs[job].machine.epoch
        switch role {
        case .plan:
            guard case .insertTasks(let count) = jobs[job].machine.planned(tasks: jobs[job].tasks, by: epoch) else {
                return breakRule("a plan was refused")
            }
            for _ in 0..<count { insert(job: job, .work) }
        case .work:
            if jobs[job].machine.taskFinished(by: epoch) == .insertCommit { insert(job: job, .commit) }
        default:
            _ = jobs[job].machine.commitBegun(by: epoch)
            _ = jobs[job].machine.manifestRecorded(by: epoch)
            guard case .publish = jobs[job].machine.grantsRetired(by: epoch) else { return breakRule("a commit was refused") }
            jobs[job].publications += 1
            open -= 1
            report.jobs += 1
            if jobs[job].isHeavy {
                report.heavyTimes.append(now - jobs[job].acceptedAt)
            } else {
                report.lightTimes.append(now - jobs[job].acceptedAt)
            }
            guard jobs[job].isHeavy, let left = heavyOpen[jobs[job].account] else { return }
            heavyOpen[jobs[job].account] = left > 1 ? left - 1 : nil
        }
    }

    // MARK: Workers

    private mutating func claim(_ worker: Int) {
        var free = settings.slots - workers[worker].held.count
        guard free > 0 else { return }
        report.claims += 1
        free -= claimLapsed(worker, free)
        guard free > 0, waiting.count > 0 else { return }
        var queues: [FairShare.Queue] = []
        var accounts: [Int] = []
        var account = waiting.next(from: workers[worker].cursor) ?? waiting.next(from: 0)
        while let found = account, accounts.count < min(JobStore.accountsMax, waiting.count) {
            accounts.append(found)
            let list = ready[found] ?? []
            let head = heads[found] ?? 0
            queues.append(
                .init(
                    kind: Self.kind, priority: .standard, account: "\(found)", due: min(free, list.count - head),
                    oldest: date(tasks[list[head]].readyAt)))
            account = waiting.next(from: found + 1) ?? waiting.next(from: 0)
        }
        workers[worker].cursor = accounts.count >= JobStore.accountsMax ? (accounts.last ?? 0) + 1 : 0
        let work = Dictionary(uniqueKeysWithValues: accounts.map { ("\($0)", running[$0] ?? 0) })
        for (share, account) in zip(FairShare.shares(of: free, among: queues, running: work), accounts) where share > 0 {
            for _ in 0..<share { take(next(of: account), worker) }
        }
    }

    private mutating func next(of account: Int) -> Int {
        let head = heads[account] ?? 0
        let task = ready[account]?[head] ?? 0
        if head + 1 == ready[account]?.count {
            ready[account] = nil
            heads[account] = nil
            waiting.remove(account)
        } else {
            heads[account] = head + 1
        }
        return task
    }

    /// How many were taken.
    private mutating func claimLapsed(_ worker: Int, _ free: Int) -> Int {
        var (taken, index) = (0, 0)
        while taken < free, index < orphans.count {
            let task = orphans[index]
            if tasks[task].machine.state == .running, tasks[task].machine.leaseUntil.map({ $0 > date }) ?? false {
                index += 1
                continue
            }
            orphans.remove(at: index)
            guard tasks[task].machine.state == .running else { continue }
            atWork(jobs[tasks[task].job].account, -1)
            if let since = tasks[task].orphanedAt { report.recoveries.append(now - since) }
            tasks[task].orphanedAt = nil
            take(task, worker)
            taken += 1
        }
        return taken
    }

    private mutating func take(_ task: Int, _ worker: Int) {
        let window = TrustWindow(
            from: instant, lease: .milliseconds(settings.lease), margin: .milliseconds(settings.trustMargin))
        guard
            case .grant(let fence, _) = tasks[task].machine.claimed(at: date, lease: Double(settings.lease) / 1000, lossesMax: 50)
        else { return breakRule("a task that was ready could not be claimed") }
        workers[worker].held[task] = (fence, window)
        let job = tasks[task].job
        atWork(jobs[job].account, 1)
        if tasks[task].role == .plan {
            _ = jobs[job].machine.begun(by: jobs[job].machine.epoch)
            if !jobs[job].isStarted {
                jobs[job].isStarted = true
                if jobs[job].isHeavy {
                    report.heavyWaits.append(now - jobs[job].acceptedAt)
                } else {
                    report.lightWaits.append(now - jobs[job].acceptedAt)
                }
            }
        }
        // Planning and publishing are short.
        let mean = tasks[task].role == .work ? settings.taskMilliseconds : settings.taskMilliseconds / 20 + 1
        let time = Int.random(in: mean / 2...mean * 3 / 2, using: &chance)
        events.add(.done(task: task, worker: worker, life: workers[worker].life, fence: fence), at: now + time)
    }

    private mutating func renew(_ worker: Int) {
        let window = TrustWindow(
            from: instant, lease: .milliseconds(settings.lease), margin: .milliseconds(settings.trustMargin))
        for (task, held) in workers[worker].held {
            report.renewals += 1
            if tasks[task].machine.renewed(by: held.fence, at: date, lease: Double(settings.lease) / 1000) {
                workers[worker].held[task]?.window.extend(to: window)
            }
        }
    }

    private mutating func crash(_ worker: Int) {
        let stands = Int.random(in: 0..<settings.standstillShare, using: &chance) == 0
        workers[worker].isUp = false
        for task in workers[worker].held.keys.sorted() where tasks[task].machine.state == .running {
            tasks[task].orphanedAt = now
            orphans.append(task)
        }
        if stands {
            report.standstills += 1
            events.add(.back(worker: worker, life: workers[worker].life), at: now + settings.lease * 2)
        } else {
            report.crashes += 1
            workers[worker].life += 1
            workers[worker].held = [:]
            let life = workers[worker].life
            events.add(.back(worker: worker, life: life), at: now + settings.restart)
            events.add(.beat(worker: worker, life: life), at: now + settings.restart + settings.beat)
        }
    }

    private mutating func planCrash(of worker: Int) {
        let mean = settings.millisecondsBetweenCrashes
        events.add(.crash(worker: worker), at: now + Int.random(in: mean / 2...mean * 3 / 2, using: &chance))
    }

    // MARK: Around

    private var date: Date { date(now) }
    private func date(_ milliseconds: Int) -> Date { Date(timeIntervalSinceReferenceDate: Double(milliseconds) / 1000) }
    private var instant: ContinuousClock.Instant { Self.origin + .milliseconds(now) }

    private mutating func atWork(_ account: Int, _ change: Int) {
        let count = running[account, default: 0] + change
        running[account] = count > 0 ? count : nil
    }

    private mutating func breakRule(_ rule: String) {
        if report.broken.count < 10 { report.broken.append("\(rule) (at \(now) ms)") }
    }

    private mutating func finished() -> ScaleReport {
        for job in jobs where job.publications != 1 { breakRule("a job was published \(job.publications) times") }
        report.milliseconds = now
        report.recoveries.sort()
        report.lightWaits.sort()
        report.heavyWaits.sort()
        report.lightTimes.sort()
        report.heavyTimes.sort()
        report.heavyShares = heavyDone.values.sorted()
        return report
    }
}
