import Artifacts

/// What a process does: the shell around the machine, as `KeyLease` and `KeyLeaseKeeper` are.
extension KeyLeaseSimulation {
    /// Work begins: a data key is asked for, under a lease that holds or a new one.
    mutating func askKey(_ process: Int) {
        guard !processes[process].isPaused else { return }
        let local = localTime(process)
        if processes[process].leases.last?.machine.refusal(at: local) != nil || processes[process].leases.isEmpty {
            if let last = processes[process].leases.indices.last, processes[process].leases[last].machine.isHeld { return }
            processes[process].leases.append(Lease(machine: KeyLeaseStateMachine(timing: timing)))
        }
        ask(process, processes[process].leases.count - 1, .dataKey)
    }

    /// A batch is sealed or opened, if the lease allows it; where time has ended it, this is where it is lost.
    mutating func use(_ process: Int) {
        guard !processes[process].isPaused, let lease = processes[process].leases.indices.last,
            processes[process].leases[lease].secrets > 0
        else { return }
        if let reason = processes[process].leases[lease].machine.refusal(at: localTime(process)) {
            return carryOut(processes[process].leases[lease].machine.lose(reason), process, lease)
        }
        if let revokedAt { lateUse = max(lateUse ?? 0, now - revokedAt) }
    }

    mutating func confirm(_ process: Int) {
        guard !processes[process].isPaused, let lease = processes[process].leases.indices.last,
            processes[process].leases[lease].machine.isHeld
        else { return }
        ask(process, lease, .confirmation)
    }

    mutating func release(_ process: Int) {
        guard !processes[process].isPaused, let lease = processes[process].leases.indices.last else { return }
        processes[process].leases[lease].machine.release()
        processes[process].leases[lease].secrets = 0
    }

    mutating func resume(_ process: Int) {
        guard processes[process].isPaused else { return }
        processes[process].isPaused = false
        processes[process].runsSince = now
    }

    /// An announcement reaches its process; it may reach it again.
    mutating func hear(_ number: Int, stays: Bool) {
        guard !announcements.isEmpty else { return }
        let index = number % announcements.count
        let process = announcements[index]
        guard !processes[process].isPaused else { return }
        if !stays { announcements.remove(at: index) }
        for lease in processes[process].leases.indices {
            if settings.sabotage == .announcements, isAsking(process, lease) { continue }
            processes[process].leases[lease].machine.renewNow(localTime(process))
        }
    }

    private func isAsking(_ process: Int, _ lease: Int) -> Bool {
        questions.contains { question in
            guard case .renewal = question.what else { return false }
            return question.process == process && question.life == processes[process].life && question.lease == lease
        }
    }

    /// The keepers of all processes that run do what is due.
    mutating func beat() {
        for process in processes.indices where !processes[process].isPaused {
            for lease in processes[process].leases.indices {
                let action = processes[process].leases[lease].machine.tick(localTime(process))
                if case .probe(let number) = action { ask(process, lease, .renewal(number)) }
                carryOut(action, process, lease)
            }
        }
    }

    private mutating func ask(_ process: Int, _ lease: Int, _ what: Question.What) {
        questions.append(
            Question(
                process: process, life: processes[process].life, lease: lease, what: what, sentAt: now,
                askedAt: localTime(process)))
    }

    /// An answer reaches who asked, if that still lives and runs.
    mutating func receive(_ index: Int) {
        let question = questions[index]
        let (process, lease) = (question.process, question.lease)
        guard let answer = question.answer, processes[process].life == question.life else {
            questions.remove(at: index)
            return
        }
        if processes[process].isPaused { return }
        questions.remove(at: index)
        let askedAt = settings.sabotage == .question ? localTime(process) : question.askedAt
        switch (question.what, answer) {
        case (.renewal, .denied) where settings.sabotage == .refusals: break
        case (.renewal(let number), _):
            carryOut(processes[process].leases[lease].machine.answered(number, answer), process, lease)
        case (.confirmation, _):
            carryOut(processes[process].leases[lease].machine.answered(askedAt: askedAt, answer), process, lease)
        case (.dataKey, .confirmed):
            processes[process].leases[lease].machine.adopt(askedAt: askedAt)
            let isRefused = processes[process].leases[lease].machine.refusal(at: localTime(process)) != nil
            if !isRefused || settings.sabotage == .lateKeys { processes[process].leases[lease].secrets += 1 }
        case (.dataKey, .denied(let text)):
            carryOut(processes[process].leases[lease].machine.lose(.denied(text)), process, lease)
        case (.dataKey, .unanswered): break
        }
    }

    private mutating func carryOut(_ action: KeyLeaseStateMachine.Action, _ process: Int, _ lease: Int) {
        guard case .lose = action, settings.sabotage != .wiping else { return }
        processes[process].leases[lease].secrets = 0
    }
}
