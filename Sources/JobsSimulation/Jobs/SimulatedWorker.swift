import Jobs

/// A worker process: what it holds and how far it is, by its own clock.
struct SimulatedWorker {
    /// Grows with each start: answers for an earlier life reach nobody.
    var life = 0
    var isAlive = true
    var isPaused = false
    /// What it sent stays on its way, and so does what was answered: a partition that TCP outlasts.
    var isCutOff = false
    var clockOffset = 0
    var holdings: [SimulatedHolding] = []
    /// One question for work at a time.
    var isClaiming = false

    mutating func die() {
        life += 1
        isAlive = false
        isPaused = false
        isClaiming = false
        holdings = []
    }
}

/// A task in a worker's hands.
struct SimulatedHolding {
    enum Phase: Equatable {
        case begin
        case intend(Int), createGrant(Int), recordGrant(Int, id: Int)
        case finishPlan
        case look, dataKey(Int), reserve(Int), put(ObjectKey, position: Int), record(ObjectKey, position: Int, sealing: Int)
        case finish
        case beginCommit, readChunks, reserveManifest([ObjectKey]), putManifest([ObjectKey], ObjectKey)
        case confirm([ObjectKey], ObjectKey), recordManifest([ObjectKey], ObjectKey)
        case askUnretired, retire(Int, rest: [Int]), markRetired(Int, rest: [Int]), publish
        case abandon
        case awaitLeases, listGrants, retireListed(Int, rest: [Int]), markAllRetired, removeObjects, end
        case failRetriably, failFinally
    }

    let task: Int
    let fence: Fence
    var window: TrustWindow
    var phase: Phase
    /// A request of it is on its way.
    var isWaiting = false

    /// Whether it still means to work: not so once it sent how it ended.
    var isLeaving: Bool {
        switch phase {
        case .finish, .finishPlan, .publish, .abandon, .end, .failRetriably, .failFinally: isWaiting
        default: false
        }
    }

    static func firstPhase(of role: TaskRole) -> Phase {
        switch role {
        case .plan: .begin
        case .work: .look
        case .commit: .beginCommit
        case .cleanup: .askUnretired
        }
    }
}

/// What is on its way to a server, or, with a reply, back from it.
struct SimulatedRequest {
    enum What {
        case claim
        case beat([(task: Int, fence: Fence)])
        case work(SimulatedHolding.Phase, task: Int, fence: Fence)
    }

    enum Reply {
        case done
        case claimed([(task: Int, fence: Fence)])
        case renewed([Bool])
        case position(Int?)
        case number(Int)
        case numbers([Int])
        case object(ObjectKey)
        case objects([ObjectKey])
        case retiring
        /// The write found another fence, epoch or state.
        case refused
        /// Access denied: final.
        case denied
        case unavailable
        /// KMS has been away for longer than the deadline.
        case tooLate
        case notYet
    }

    let worker: Int
    let life: Int
    let what: What
    let sentAt: Int
    let sentByItsClock: ContinuousClock.Instant
    var reply: Reply?
}
