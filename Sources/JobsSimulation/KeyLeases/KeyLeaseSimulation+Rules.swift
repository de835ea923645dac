import Artifacts

extension KeyLeaseSimulation {
    /// Two renewal intervals and the deadline of the call.
    private var boundMilliseconds: Int { settings.intervalMilliseconds * 3 }

    package func brokenRule() -> String? {
        if let lateUse, lateUse > boundMilliseconds { return "a key was used \(lateUse) ms after its revocation" }
        for (number, process) in processes.enumerated() {
            for lease in process.leases where lease.secrets > 0 {
                if lease.machine.isOver { return "process \(number) holds a secret though its lease is over" }
                if let revokedAt, !process.isPaused, process.runsSince <= revokedAt, now - revokedAt > boundMilliseconds {
                    return "process \(number) runs and holds a secret \(now - revokedAt) ms after the revocation"
                }
            }
        }
        return nil
    }

    /// Without a revocation leases last; behind one they end, and where it is announced and KMS answers, at once.
    package mutating func calm() -> (rule: String, round: Int)? {
        kms = .up
        announcements = []
        for process in processes.indices { resume(process) }
        beat()
        exchange()
        if revokedAt != nil {
            pass(boundMilliseconds + 1)
            return (brokenRule() ?? held(because: "is over")).map { ($0, 0) }
        }
        // What was lost before the calm may still cost a lease.
        for _ in 0..<8 {
            pass(settings.intervalMilliseconds / 2)
            exchange()
        }
        for process in processes.indices {
            askKey(process)
            exchange()
        }
        for round in 0..<20 {
            pass(settings.intervalMilliseconds / 2)
            exchange()
            if let rule = brokenRule() { return (rule, round) }
            if let lost = processes.firstIndex(where: { ($0.leases.last?.secrets ?? 0) == 0 }) {
                return ("process \(lost) lost its lease though nothing was wrong", round)
            }
        }
        return revokeInTheMiddle().map { ($0, 20) }
    }

    /// The revocation comes while a question is on its way that KMS has answered with yes.
    private mutating func revokeInTheMiddle() -> String? {
        pass(settings.intervalMilliseconds)
        for index in questions.indices.reversed() where questions[index].answer == nil { deliver(index) }
        revoke()
        while !announcements.isEmpty { hear(0, stays: false) }
        beat()
        for _ in 0..<2 {
            for index in questions.indices.reversed() { receive(index) }
            beat()
            for index in questions.indices.reversed() where questions[index].answer == nil { deliver(index) }
        }
        for index in questions.indices.reversed() { receive(index) }
        return brokenRule() ?? held(because: "was announced and KMS answers")
    }

    private func held(because why: String) -> String? {
        processes.firstIndex { $0.leases.contains { $0.secrets > 0 } }.map {
            "process \($0) holds a secret though the revocation \(why)"
        }
    }
}
