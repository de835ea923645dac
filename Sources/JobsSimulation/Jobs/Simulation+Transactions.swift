import Jobs

extension Simulation {
    /// Transactions of a task whose fence was found.
    mutating func serveOwned(
        _ phase: SimulatedHolding.Phase, _ task: Int, _ fence: Fence, _ job: Int
    ) -> SimulatedRequest.Reply {
        let epoch = database.epoch(of: task)
        switch phase {
        case .begin: return accepted(database.jobs[job].machine.begun(by: epoch)) ? .number(settings.grants) : .refused
        case .intend(let number):
            guard isOpen(job) else { return .refused }
            guard let known = database.jobs[job].grants[number] else {
                database.jobs[job].grants[number] = .init()
                return .done
            }
            // What an earlier attempt recorded is taken as it is: making it again would undo a revocation.
            return known.id == nil ? .done : .number(settings.grants)
        case .recordGrant(let number, let id):
            let known = database.jobs[job].grants[number]
            guard isOpen(job), known?.state == .intended || known?.state == .active && known?.id == id else { return .refused }
            database.jobs[job].grants[number]?.id = id
            database.jobs[job].grants[number]?.state = .active
            return .number(settings.grants)
        case .finishPlan: return finishPlan(task, job, epoch)
        case .look:
            let row = database.tasks[task]
            return .position(row.chunks.count < row.chunksInAll ? row.chunks.count : nil)
        case .reserve(let position): return .object(reserve(task, fence, job, ordinal: position))
        case .reserveManifest: return .object(reserve(task, fence, job, ordinal: 0))
        case .record(let key, let position, let sealing): return record(task, fence, job, key, position, sealing)
        case .finish: return finish(task, fence, job, epoch)
        case .failFinally:
            guard database.fail(job, by: epoch, now: databaseNow) else { return .refused }
            return .done
        default: return serveEnding(phase, task, fence, job, epoch)
        }
    }

    private func isOpen(_ job: Int) -> Bool {
        settings.sabotage == .epochs || !database.jobs[job].machine.state.isEnding && !database.jobs[job].machine.state.isTerminal
    }

    func accepted(_ action: JobStateMachine.Action) -> Bool {
        if case .refuse = action { false } else { true }
    }

    private mutating func finishPlan(_ task: Int, _ job: Int, _ epoch: Epoch) -> SimulatedRequest.Reply {
        let planned = database.jobs[job].planned
        guard database.tasks[task].machine.state == .running,
            accepted(database.jobs[job].machine.planned(tasks: planned.count, by: epoch))
        else { return .refused }
        _ = database.tasks[task].machine.finished(by: database.tasks[task].machine.fence)
        for (ordinal, chunks) in planned.enumerated() {
            database.insert(job: job, .work, ordinal: ordinal, chunks: chunks, now: databaseNow, mustFinish: false)
        }
        if planned.isEmpty {
            database.insert(job: job, .commit, ordinal: 0, chunks: 0, now: databaseNow, mustFinish: false)
        }
        return .done
    }

    private mutating func reserve(_ task: Int, _ fence: Fence, _ job: Int, ordinal: Int) -> ObjectKey {
        // Without write-once names an attempt takes the name that its predecessor took.
        let name = ObjectKey(task: task, fence: settings.sabotage == .writeOnce ? 0 : fence.rawValue, ordinal: ordinal)
        if database.objects[name] == nil || settings.sabotage == .writeOnce {
            database.objects[name] = .init(job: job, task: task, fence: fence, reservedAt: databaseNow)
        }
        return name
    }

    private mutating func record(
        _ task: Int, _ fence: Fence, _ job: Int, _ key: ObjectKey, _ position: Int, _ sealing: Int
    ) -> SimulatedRequest.Reply {
        // The row's primary key: a position is recorded once.
        guard isOpen(job), settings.sabotage == .fences || database.tasks[task].chunks.count == position else { return .refused }
        if settings.sabotage != .fences, !database.tasks[task].machine.progressed(by: fence) { return .refused }
        database.tasks[task].chunks.append(key)
        database.objects[key]?.state = .durable
        recorded[key] = SimulatedContent(job: job, ordinal: database.tasks[task].ordinal, position: position, sealing: sealing)
        return .done
    }

    private mutating func finish(_ task: Int, _ fence: Fence, _ job: Int, _ epoch: Epoch) -> SimulatedRequest.Reply {
        var machine = database.jobs[job].machine
        guard machine.openTasks > 0 || settings.sabotage == nil else { return .refused }
        let action = machine.taskFinished(by: epoch)
        guard accepted(action) else { return .refused }
        database.jobs[job].machine = machine
        _ = database.tasks[task].machine.finished(by: database.tasks[task].machine.fence)
        if action == .insertCommit {
            database.insert(job: job, .commit, ordinal: 0, chunks: 0, now: databaseNow, mustFinish: false)
        }
        return .done
    }

    func isAllRetired(_ job: Int) -> Bool {
        settings.sabotage == .retiring || database.unretired(job).isEmpty
    }
}
