import Jobs

extension Simulation {
    /// What must hold after every event; nil where it does.
    package func brokenRule() -> String? {
        twoBelieveInOneLease() ?? publishedWrongly() ?? grantAliveBehindTheEnd() ?? succeededAgainstARevocation()
    }

    private func twoBelieveInOneLease() -> String? {
        guard !databaseClockJumped else { return nil }
        var believers: Set<Int> = []
        for (worker, state) in workers.enumerated() {
            for holding in state.holdings where !holding.isLeaving && believes(holding, worker) {
                if !believers.insert(holding.task).inserted {
                    return "two workers believe in the lease of task \(holding.task)"
                }
            }
        }
        return nil
    }

    private func publishedWrongly() -> String? {
        for (job, names) in published {
            guard let manifest = names.last, store.objects[manifest] != nil else { return "the manifest of job \(job) is gone" }
            let found = names.dropLast().map { store.objects[$0] }
            if found.contains(where: { $0 == nil }) { return "a published chunk of job \(job) is gone" }
            if zip(names, found).contains(where: { recorded[$0] != $1 }) { return "a published chunk of job \(job) is another" }
            let pieces = found.compactMap { $0.map { [$0.ordinal, $0.position] } }.sorted { $0.lexicographicallyPrecedes($1) }
            let expected = database.jobs[job].planned.enumerated().flatMap { ordinal, chunks in
                (0..<chunks).map { [ordinal, $0] }
            }
            if pieces != expected { return "job \(job) published \(pieces) instead of \(expected)" }
            if database.jobs[job].machine.state != .succeeded { return "job \(job) published and did not succeed" }
        }
        return nil
    }

    /// But for one whose creation took effect after the job's grants were last retired: the sweeper finds those.
    private func grantAliveBehindTheEnd() -> String? {
        for (job, row) in database.jobs.enumerated() where row.machine.state.isTerminal && row.grantsLeft == 0 {
            for id in kms.alive(job: job) where kms.grants[id].createdAt <= lastRetirement[job] ?? Int.max {
                return "job \(job) is \(row.machine.state) and its grant \(kms.grants[id].number) is alive"
            }
        }
        return nil
    }

    private func succeededAgainstARevocation() -> String? {
        for (job, row) in database.jobs.enumerated() where row.machine.state == .succeeded {
            if let revoked = revokedAt[job], revoked < confirmedAt[job] ?? Int.max {
                return "job \(job) succeeded although a grant was revoked before it was confirmed"
            }
        }
        return nil
    }

    /// What must hold once everything is calm.
    func unfinished() -> String? {
        for (job, row) in database.jobs.enumerated() where !row.machine.state.isTerminal {
            return "job \(job) hangs in \(row.machine.state)"
        }
        if let task = database.tasks.firstIndex(where: { !$0.machine.state.isTerminal }) { return "task \(task) is not over" }
        if let id = kms.grants.firstIndex(where: \.isAlive) { return "grant \(id) of job \(kms.grants[id].job) is left" }
        // A clock that jumped may have let the collector go before the last upload had landed.
        guard !databaseClockJumped else { return nil }
        let named = Set(published.values.joined())
        if let orphan = store.objects.keys.sorted().first(where: { !named.contains($0) }) {
            return "object \(orphan) is named by nothing and was not collected"
        }
        return nil
    }
}
