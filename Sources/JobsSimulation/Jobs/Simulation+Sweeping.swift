import Jobs

/// What the sweeper does, a pass each.
extension Simulation {
    mutating func sweep() {
        for task in database.tasks.indices {
            var machine = database.tasks[task].machine
            let action = machine.claimed(
                at: SimulatedDatabase.date(databaseNow), lease: Double(settings.lease) / 1000, lossesMax: settings.lossesMax)
            guard action == .giveUp else { continue }
            let job = database.tasks[task].job
            _ = database.fail(job, by: database.jobs[job].machine.epoch, now: databaseNow)
        }
        guard kms.isUp else { return }
        for job in database.jobs.indices {
            for (number, grant) in database.jobs[job].grants where grant.state == .left {
                if let id = grant.id ?? kms.alive(job: job, number: number) { kms.grants[id].isAlive = false }
                database.jobs[job].grants[number]?.state = .retired
            }
        }
    }

    /// All grants of the retiring principal against the tables.
    mutating func reconcile() {
        guard kms.isUp else { return }
        for id in kms.grants.indices where kms.grants[id].isAlive {
            let grant = kms.grants[id]
            let decision = GrantReconciliation.decide(
                name: GrantName.job(JobID(), artifact: String(grant.number)),
                row: database.jobs[grant.job].grants[grant.number]?.state, job: database.jobs[grant.job].machine.state)
            if decision == .retire { kms.grants[id].isAlive = false }
        }
    }

    /// Superseded reservations become garbage, garbage whose time has come is removed, its row last.
    mutating func collect() {
        let now = databaseNow
        for (key, object) in database.objects where object.state == .reserved {
            let task = database.tasks[object.task].machine
            guard object.fence < task.fence || task.state == .done || task.state == .failed,
                object.reservedAt + settings.lease <= now
            else { continue }
            database.objects[key]?.state = .garbage
            database.objects[key]?.collectAfter = now + settings.lease + settings.uploadTimeout
        }
        for (key, object) in database.objects where object.state == .garbage && object.collectAfter <= now {
            store.remove(key)
            database.objects[key] = nil
        }
    }
}
