import Artifacts

/// KMS, the network, and time.
extension KeyLeaseSimulation {
    /// A question reaches KMS: what it answers is decided now, whenever it arrives.
    mutating func deliver(_ index: Int) {
        switch kms {
        case .silent: questions.remove(at: index)
        case .failing: questions[index].answer = .unanswered("503")
        case .up: questions[index].answer = revokedAt == nil ? .confirmed : .denied("revoked")
        }
    }

    /// Whoever waits learns only that no answer came.
    mutating func fail(_ index: Int) {
        questions[index].answer = .unanswered("no connection")
        receive(index)
    }

    /// All that is on its way arrives and is answered.
    mutating func exchange() {
        for index in questions.indices.reversed() where questions[index].answer == nil { deliver(index) }
        for index in questions.indices.reversed() { receive(index) }
    }

    mutating func revoke() {
        guard revokedAt == nil else { return }
        revokedAt = now
        announcements += processes.indices
    }

    /// Time passes; what is due of a process that runs is done when it is due.
    mutating func pass(_ milliseconds: Int) {
        let end = now + milliseconds
        while now < end {
            now = max(now + 1, min(end, nextMoment() ?? end))
            for index in questions.indices.reversed()
            where questions[index].answer == nil && now - questions[index].sentAt > settings.requestLifetime { fail(index) }
            beat()
        }
    }

    /// When some keeper that runs has something to do.
    private func nextMoment() -> Int? {
        var next: Int?
        for process in processes where !process.isPaused {
            for lease in process.leases {
                guard let local = lease.machine.nextEvent else { continue }
                let (seconds, attoseconds) = local.components
                let moment = Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000) - process.clockOffset
                next = min(next ?? moment, moment)
            }
        }
        return next
    }
}
