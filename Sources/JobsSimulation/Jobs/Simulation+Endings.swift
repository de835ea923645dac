import Jobs

extension Simulation {
    /// Transactions of commit and clean-up.
    mutating func serveEnding(
        _ phase: SimulatedHolding.Phase, _ task: Int, _ fence: Fence, _ job: Int, _ epoch: Epoch
    ) -> SimulatedRequest.Reply {
        switch phase {
        case .beginCommit:
            switch database.jobs[job].machine.commitBegun(by: epoch) {
            case .refuse: return .refused
            case .retireGrants: return .retiring
            default: return .done
            }
        case .readChunks:
            return .objects(
                database.tasks.filter { $0.job == job && $0.role == .work && $0.epoch == epoch }.flatMap(\.chunks))
        case .recordManifest(let chunks, let key): return recordManifest(task, job, epoch, chunks, key)
        case .askUnretired: return askUnretired(job)
        case .markRetired(let number, _):
            database.jobs[job].grants[number]?.state = .retired
            return .done
        case .publish: return publish(task, job, epoch)
        case .abandon:
            guard accepted(database.jobs[job].machine.retiringAbandoned(by: epoch)) else { return .refused }
            database.fenceOff(job, now: databaseNow)
            return .done
        case .awaitLeases: return database.hasRunningLease(job, now: databaseNow) ? .notYet : .done
        case .markAllRetired:
            for number in database.jobs[job].grants.keys { database.jobs[job].grants[number]?.state = .retired }
            return .done
        case .end: return end(task, job, epoch)
        default: preconditionFailure("No transaction is called \(phase).")
        }
    }

    private mutating func recordManifest(
        _ task: Int, _ job: Int, _ epoch: Epoch, _ chunks: [ObjectKey], _ key: ObjectKey
    ) -> SimulatedRequest.Reply {
        guard accepted(database.jobs[job].machine.manifestRecorded(by: epoch)) else { return .refused }
        let before = database.tasks[task].machine
        database.tasks[task].machine = TaskStateMachine(
            state: before.state, fence: before.fence, attempts: before.attempts, losses: before.losses,
            failingSince: before.failingSince, leaseUntil: before.leaseUntil, notBefore: before.notBefore, mustFinish: true)
        database.jobs[job].manifest = chunks + [key]
        database.jobs[job].retiringSince = databaseNow
        for name in chunks + [key] { database.objects[name]?.state = .published }
        database.setRetiring(job, databaseNow)
        return .done
    }

    /// Which recorded grants are to be retired; behind the last one a commit publishes and a clean-up waits for leases.
    private func askUnretired(_ job: Int) -> SimulatedRequest.Reply {
        let isEnding = database.jobs[job].machine.state.isEnding
        let recordedGrants = database.unretired(job).filter { database.jobs[job].grants[$0]?.id != nil }
        if !recordedGrants.isEmpty, settings.sabotage != .retiring, kms.isUp || !isEnding { return .numbers(recordedGrants) }
        return isEnding ? .done : .retiring
    }

    private mutating func publish(_ task: Int, _ job: Int, _ epoch: Epoch) -> SimulatedRequest.Reply {
        guard isAllRetired(job), accepted(database.jobs[job].machine.grantsRetired(by: epoch)) else { return .refused }
        _ = database.tasks[task].machine.finished(by: database.tasks[task].machine.fence)
        published[job] = database.jobs[job].manifest ?? []
        return .done
    }

    private mutating func end(_ task: Int, _ job: Int, _ epoch: Epoch) -> SimulatedRequest.Reply {
        let left = database.unretired(job)
        if !left.isEmpty {
            // Only a KMS that stays away until the deadline leaves grants behind.
            guard !kms.isUp || settings.sabotage == .grantList else { return .unavailable }
        }
        guard accepted(database.jobs[job].machine.cleanedUp(by: epoch)) else { return .refused }
        _ = database.tasks[task].machine.finished(by: database.tasks[task].machine.fence)
        for number in left {
            database.jobs[job].grants[number]?.state = settings.sabotage == .grantList ? .retired : .left
        }
        database.jobs[job].grantsLeft = left.count
        database.discard(job, now: databaseNow)
        return .done
    }
}
