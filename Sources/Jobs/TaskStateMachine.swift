package import FoundationEssentials

/// Every decision about a task, without any I/O. `now` is the database's clock.
///
/// Claims and renewals are made for many tasks by one statement each (`Claims`, `Renewal`); they are this machine in
/// SQL, and a test holds the two against each other.
package struct TaskStateMachine: Sendable, Equatable {
    package private(set) var state: TaskState
    package private(set) var fence: Fence
    package private(set) var attempts: Int
    package private(set) var losses: Int
    package private(set) var failingSince: Date?
    package private(set) var leaseUntil: Date?
    package private(set) var notBefore: Date
    package let mustFinish: Bool

    package init(
        state: TaskState = .ready, fence: Fence = Fence(0), attempts: Int = 0, losses: Int = 0,
        failingSince: Date? = nil, leaseUntil: Date? = nil, notBefore: Date, mustFinish: Bool = false
    ) {
        self.state = state
        self.fence = fence
        self.attempts = attempts
        self.losses = losses
        self.failingSince = failingSince
        self.leaseUntil = leaseUntil
        self.notBefore = notBefore
        self.mustFinish = mustFinish
    }

    package enum ClaimAction: Sendable, Equatable {
        case grant(Fence, afterLoss: Bool)
        case leave
        /// It cost too many workers their lease: the job fails instead of costing another.
        case giveUp
    }

    package enum FailureAction: Sendable, Equatable {
        case retry(at: Date)
        case giveUp
        case refuse
    }

    package mutating func claimed(at now: Date, lease: TimeInterval, lossesMax: Int) -> ClaimAction {
        switch state {
        case .ready:
            guard notBefore <= now else { return .leave }
        case .running:
            guard let leaseUntil, leaseUntil <= now else { return .leave }
            if losses + 1 >= lossesMax {
                guard mustFinish else { return .giveUp }
                // It may not be given up, but it may not take the fleet down at the pace of a lease either.
                guard leaseUntil.addingTimeInterval(Self.pauseAfterManyLosses) <= now else { return .leave }
            }
            losses += 1
        case .done, .failed, .cancelled:
            return .leave
        }
        let afterLoss = state == .running
        state = .running
        fence = fence.next
        attempts += 1
        leaseUntil = now.addingTimeInterval(lease)
        return .grant(fence, afterLoss: afterLoss)
    }

    /// - Returns: whether the lease goes on. One that ran out is lost even if nobody took the task yet.
    package mutating func renewed(by holder: Fence, at now: Date, lease: TimeInterval) -> Bool {
        guard owns(holder), let leaseUntil, leaseUntil > now else { return false }
        self.leaseUntil = now.addingTimeInterval(lease)
        return true
    }

    /// A chunk became durable: a task that gets on is no poison.
    package mutating func progressed(by holder: Fence) -> Bool {
        guard owns(holder) else { return false }
        losses = 0
        failingSince = nil
        return true
    }

    package mutating func finished(by holder: Fence) -> Bool {
        guard owns(holder) else { return false }
        end(.done)
        return true
    }

    package mutating func failedRetriably(
        by holder: Fence, at now: Date, backoff: TimeInterval, retryPeriod: TimeInterval
    ) -> FailureAction {
        guard owns(holder) else { return .refuse }
        let since = failingSince ?? now
        if !mustFinish, now.timeIntervalSince(since) >= retryPeriod {
            end(.failed)
            return .giveUp
        }
        failingSince = since
        state = .ready
        leaseUntil = nil
        notBefore = now.addingTimeInterval(backoff)
        return .retry(at: notBefore)
    }

    /// A draining worker gives the task back; the attempt does not count.
    package mutating func released(by holder: Fence, at now: Date) -> Bool {
        guard owns(holder) else { return false }
        state = .ready
        attempts -= 1
        leaseUntil = nil
        notBefore = now
        return true
    }

    package mutating func cancelled() {
        switch state {
        case .ready: end(.cancelled)
        case .running: state = .cancelled
        case .done, .failed, .cancelled: break
        }
    }

    package static let pauseAfterManyLosses: TimeInterval = 30

    private func owns(_ holder: Fence) -> Bool { state == .running && fence == holder }

    private mutating func end(_ state: TaskState) {
        self.state = state
        leaseUntil = nil
    }
}
