import FoundationEssentials
import Jobs

/// The rows that the engine keeps, with its own machines deciding each change, as its SQL does under locks.
struct SimulatedDatabase {
    struct Task {
        let job: Int
        let role: TaskRole
        let ordinal: Int
        let epoch: Epoch
        /// Chunks that the task's input makes; of work tasks.
        let chunksInAll: Int
        var machine: TaskStateMachine
        /// Position in the input → the object that holds it.
        var chunks: [ObjectKey] = []
    }

    struct Grant {
        var state = GrantState.intended
        var id: Int?
        var retireAfter = 0
    }

    struct Job {
        var machine = JobStateMachine()
        let planned: [Int]
        var grants: [Int: Grant] = [:]
        /// What the manifest names, once it is recorded.
        var manifest: [ObjectKey]?
        var retiringSince: Int?
        var grantsLeft = 0
    }

    enum ObjectState { case reserved, durable, published, garbage }

    struct Object {
        let job: Int
        let task: Int
        let fence: Fence
        var state = ObjectState.reserved
        var reservedAt: Int
        var collectAfter = 0
    }

    var jobs: [Job]
    var tasks: [Task] = []
    var objects: [ObjectKey: Object] = [:]
    /// How far the server's clock is from true time.
    var clockOffset = 0
    let settings: SimulationSettings

    init(_ settings: SimulationSettings, plans: [[Int]]) {
        self.settings = settings
        jobs = plans.map { Job(planned: $0) }
        for job in jobs.indices { insert(job: job, .plan, ordinal: 0, chunks: 0, now: 0, mustFinish: false) }
    }

    static func date(_ milliseconds: Int) -> Date { Date(timeIntervalSinceReferenceDate: Double(milliseconds) / 1000) }

    mutating func insert(job: Int, _ role: TaskRole, ordinal: Int, chunks: Int, now: Int, mustFinish: Bool) {
        tasks.append(
            Task(
                job: job, role: role, ordinal: ordinal, epoch: jobs[job].machine.epoch, chunksInAll: chunks,
                machine: TaskStateMachine(notBefore: Self.date(now), mustFinish: mustFinish)))
    }

    /// Whether a statement that carries this fence and epoch finds its row.
    func owns(_ task: Int, _ fence: Fence) -> Bool {
        if settings.sabotage == .fences { return tasks[task].machine.state == .running }
        let row = tasks[task]
        return row.machine.state == .running && row.machine.fence == fence
    }

    /// The number that a statement's machine is asked with; a sabotaged one lets the past speak for the present.
    func epoch(of task: Int) -> Epoch {
        settings.sabotage == .epochs ? jobs[tasks[task].job].machine.epoch : tasks[task].epoch
    }

    /// The end of a job begins: tasks cancelled, grants to retiring, the clean-up inserted; one transaction.
    mutating func fenceOff(_ job: Int, now: Int) {
        for task in tasks.indices where tasks[task].job == job && !tasks[task].machine.state.isTerminal {
            guard tasks[task].epoch != jobs[job].machine.epoch else { continue }
            if settings.sabotage != .epochs { tasks[task].machine.cancelled() }
        }
        setRetiring(job, now)
        insert(job: job, .cleanup, ordinal: 0, chunks: 0, now: now, mustFinish: true)
    }

    mutating func setRetiring(_ job: Int, _ now: Int) {
        for (number, grant) in jobs[job].grants where grant.state == .intended || grant.state == .active {
            jobs[job].grants[number]?.state = .retiring
            jobs[job].grants[number]?.retireAfter = now
        }
    }

    mutating func fail(_ job: Int, by epoch: Epoch, now: Int) -> Bool {
        guard case .cleanUp = jobs[job].machine.failed(by: epoch) else { return false }
        fenceOff(job, now: now)
        return true
    }

    /// Leases of cancelled tasks that still run.
    func hasRunningLease(_ job: Int, now: Int) -> Bool {
        tasks.contains { task in
            task.job == job && task.machine.state == .cancelled
                && (task.machine.leaseUntil.map { $0 > Self.date(now) } ?? false)
        }
    }

    func hasTraces(_ job: Int, now: Int) -> Bool {
        !jobs[job].grants.isEmpty || objects.values.contains { $0.job == job }
            || tasks.contains { $0.job == job && $0.machine.state == .running }
    }

    /// What is still to be retired of a job that has its outcome.
    func unretired(_ job: Int) -> [Int] {
        jobs[job].grants.filter { $0.value.state != .retired }.keys.sorted()
    }

    mutating func discard(_ job: Int, now: Int) {
        for (key, object) in objects where object.job == job && object.state != .garbage {
            objects[key]?.state = .garbage
            objects[key]?.collectAfter = now + settings.lease + settings.uploadTimeout
        }
    }
}

/// A write-once name: whose attempt it is, and the number of the object in it.
struct ObjectKey: Hashable, Comparable, CustomStringConvertible {
    let task: Int
    let fence: Int64
    let ordinal: Int

    static func < (a: Self, b: Self) -> Bool { (a.task, a.fence, a.ordinal) < (b.task, b.fence, b.ordinal) }
    var description: String { "\(task)/\(fence)/\(ordinal)" }
}
