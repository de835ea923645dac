import FoundationEssentials
import Jobs

/// What requests do when they reach their server. Each is one transaction, or one call of KMS or the store.
extension Simulation {
    mutating func deliver(_ index: Int) {
        requests[index].reply = serve(requests[index])
    }

    private mutating func serve(_ request: SimulatedRequest) -> SimulatedRequest.Reply {
        switch request.what {
        case .claim: return serveClaim()
        case .beat(let held):
            return .renewed(
                held.map { task, fence in
                    if settings.sabotage == .expiry { return database.owns(task, fence) }
                    return database.tasks[task].machine.renewed(
                        by: fence, at: SimulatedDatabase.date(databaseNow), lease: leaseSeconds)
                })
        case .work(let phase, let task, let fence): return serve(phase, task, fence)
        }
    }

    private var leaseSeconds: TimeInterval { Double(settings.lease) / 1000 }

    private mutating func serveClaim() -> SimulatedRequest.Reply {
        var claimed: [(task: Int, fence: Fence)] = []
        for task in database.tasks.indices where claimed.count < settings.slots {
            let action = database.tasks[task].machine.claimed(
                at: SimulatedDatabase.date(databaseNow), lease: leaseSeconds, lossesMax: settings.lossesMax)
            if case .grant(let fence, _) = action { claimed.append((task, fence)) }
        }
        return .claimed(claimed)
    }

    private mutating func serve(
        _ phase: SimulatedHolding.Phase, _ task: Int, _ fence: Fence
    ) -> SimulatedRequest.Reply {
        let job = database.tasks[task].job
        switch phase {
        case .createGrant(let number):
            guard kms.isUp else { return .unavailable }
            return .number(kms.create(job: job, number: number, step: step))
        case .dataKey: return keysAnswer(job)
        case .confirm:
            if settings.sabotage == .confirmation { return .done }
            let answer = keysAnswer(job)
            if case .done = answer { confirmedAt[job] = step }
            return answer
        case .put(let key, let position):
            sealings += 1
            let content = SimulatedContent(job: job, ordinal: database.tasks[task].ordinal, position: position, sealing: sealings)
            return store.put(key, content) ? .number(sealings) : .unavailable
        case .putManifest(_, let key):
            sealings += 1
            let content = SimulatedContent(job: job, ordinal: -1, position: 0, sealing: sealings)
            return store.put(key, content) ? .done : .unavailable
        case .retire(let number, _): return retire(job, number)
        case .listGrants: return listGrants(job)
        case .retireListed(let id, _):
            guard kms.isUp else { return .unavailable }
            kms.grants[id].isAlive = false
            lastRetirement[job] = step
            return .done
        case .removeObjects:
            for (key, object) in database.objects where object.job == job { store.remove(key) }
            return .done
        case .failRetriably: return failRetriably(task, fence)
        default:
            guard database.owns(task, fence) else { return .refused }
            return serveOwned(phase, task, fence, job)
        }
    }

    /// Whether every key of the job may be used.
    private func keysAnswer(_ job: Int) -> SimulatedRequest.Reply {
        guard kms.isUp else { return .unavailable }
        let ids = database.jobs[job].grants.values.map(\.id)
        return ids.allSatisfy { $0.map { kms.grants[$0].isAlive } ?? false } ? .done : .denied
    }

    private mutating func retire(_ job: Int, _ number: Int) -> SimulatedRequest.Reply {
        guard kms.isUp else {
            let since = database.jobs[job].retiringSince ?? databaseNow
            return databaseNow - since >= settings.retireDeadline && !database.jobs[job].machine.state.isEnding
                ? .tooLate : .unavailable
        }
        if let id = database.jobs[job].grants[number]?.id {
            // Gone already counts as retired: the row is in retiring.
            kms.grants[id].isAlive = false
            lastRetirement[job] = step
        }
        return .done
    }

    private mutating func listGrants(_ job: Int) -> SimulatedRequest.Reply {
        if settings.sabotage == .grantList { return .numbers([]) }
        guard kms.isUp else { return .tooLate }
        lastRetirement[job] = step
        return .numbers(kms.alive(job: job))
    }

    private mutating func failRetriably(_ task: Int, _ fence: Fence) -> SimulatedRequest.Reply {
        let outcome = database.tasks[task].machine.failedRetriably(
            by: fence, at: SimulatedDatabase.date(databaseNow), backoff: 1, retryPeriod: Double(settings.retryPeriod) / 1000)
        switch outcome {
        case .refuse: return .refused
        case .retry: return .done
        case .giveUp:
            let job = database.tasks[task].job
            return database.fail(job, by: database.epoch(of: task), now: databaseNow) ? .done : .refused
        }
    }
}
