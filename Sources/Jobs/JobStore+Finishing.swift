import FoundationEssentials
import Postgres

extension JobStore {
    /// Tasks that one transaction finishes at most.
    static let finishBatch = 500
    /// How long a batch waits for a job's row before its jobs are finished apart, each at its own pace.
    private static let finishPatience = Duration.milliseconds(250)

    /// Lowers the job's count of open tasks; whoever reaches zero inserts the commit task.
    package func finishWork(_ task: ClaimedTask) async throws {
        try await settling(task, as: .done) {
            let outcomes = try await transaction { try await finishWork([task], on: $0) }
            try outcomes[0].get()
        }
    }

    /// Finishes tasks of any jobs in one transaction. Each is fenced by itself: one that lost its fence or whose job ended
    /// fails alone.
    ///
    /// A job whose row is locked for long (a process that was stopped in the middle) holds up its own tasks only.
    package func finishWork(_ tasks: [ClaimedTask]) async -> [Result<Void, any Error>] {
        if tasks.count == 1 { return [await result { try await finishWork(tasks[0]) }] }
        do {
            let outcomes = try await pool.transaction { connection in
                try await connection.execute(
                    "SELECT set_config('lock_timeout', \("\(Self.finishPatience.wholeMilliseconds)"), true)")
                return try await finishWork(tasks, on: connection)
            }
            wakeRelay()
            return outcomes
        } catch {
            return await finishApart(tasks)
        }
    }

    /// Job by job, side by side: what keeps one of them waiting is its own affair. What the batch did before its answer
    /// was lost is read, not done again: only the holder of a fence can have ended a task under it.
    private func finishApart(_ tasks: [ClaimedTask]) async -> [Result<Void, any Error>] {
        let ended = try? await pool.query(
            """
            SELECT t.id FROM unnest(\(tasks.map(\.id.rawValue)), \(tasks.map(\.fence.rawValue))) AS a (id, fence)
            JOIN job_task AS t ON t.id = a.id AND t.fence = a.fence WHERE t.state = 'done'
            """
        ).map { try $0.get("id", as: TaskID.self) }
        let done = Set(ended ?? [])
        let open = tasks.indices.filter { !done.contains(tasks[$0].id) }
        return await withTaskGroup(of: [(Int, Result<Void, any Error>)].self) { group in
            for indices in Dictionary(grouping: open, by: { tasks[$0].job.id }).values {
                group.addTask {
                    var outcomes: [(Int, Result<Void, any Error>)] = []
                    for index in indices {
                        outcomes.append((index, await result { try await finishWork(tasks[index]) }))
                    }
                    return outcomes
                }
            }
            var outcomes = [Result<Void, any Error>](repeating: .success(()), count: tasks.count)
            for await some in group { for (index, outcome) in some { outcomes[index] = outcome } }
            return outcomes
        }
    }

    private func result(_ body: () async throws -> Void) async -> Result<Void, any Error> {
        do {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }

    /// Locks: the jobs' rows in the order of their ids, then the tasks.
    private func finishWork(
        _ tasks: [ClaimedTask], on connection: PostgresConnection
    ) async throws -> [Result<Void, any Error>] {
        var jobs: [JobID: JobProgress] = [:]
        for row in try await connection.query(
            """
            SELECT id, kind, version, account, state, epoch, open_tasks FROM job
            WHERE id = ANY(\(Array(Set(tasks.map(\.job.id.rawValue))))) ORDER BY id FOR NO KEY UPDATE
            """)
        {
            let job = try JobProgress(row)
            jobs[job.id] = job
        }
        // The machine decides before anything is written: what it refuses is not asked of the table.
        var outcomes = [Result<Void, any Error>](
            repeating: .failure(JobError.leaseLost("another attempt has it, or the job ended")), count: tasks.count)
        let asked = tasks.indices.filter { index in
            guard let job = jobs[tasks[index].job.id] else { return false }
            return job.machine.state == .running && job.machine.epoch == tasks[index].epoch && job.machine.openTasks > 0
        }
        let ended = try await endAll(asked.map { tasks[$0] }, on: connection)
        for index in asked {
            let task = tasks[index]
            // A task that stands twice in the batch counts once.
            guard ended[task.id] == task.fence, var job = jobs[task.job.id], job.ended.insert(task.id).inserted else {
                continue
            }
            guard job.machine.openTasks > 0 else { throw JobError(.invalid, "A job has fewer open tasks than it says.") }
            if case .refuse(let refusal) = job.machine.taskFinished(by: task.epoch) {
                throw JobError.leaseLost("\(refusal)")
            }
            jobs[job.id] = job
            outcomes[index] = .success(())
        }
        try await lower(jobs.values.filter { !$0.ended.isEmpty }, on: connection)
        for outcome in outcomes { if case .failure = outcome { JobMetrics.fencedWrite() } }
        return outcomes
    }

    /// - Returns: the fences under which tasks really ended, by task.
    private func endAll(_ tasks: [ClaimedTask], on connection: PostgresConnection) async throws -> [TaskID: Fence] {
        guard !tasks.isEmpty else { return [:] }
        // A few tasks a statement, all in one round trip. By their ids, so that no plan reads more than them; not one each,
        // because PostgreSQL sets the table's CHECK up anew for every statement.
        let statements: [PostgresQuery] = stride(from: 0, to: tasks.count, by: Self.tasksPerStatement).map { start in
            let some = tasks[start..<min(start + Self.tasksPerStatement, tasks.count)]
            let ids = some.map(\.id.rawValue)
            return """
                UPDATE job_task AS t SET state = 'done', lease_until = NULL, finished_at = clock_timestamp()
                FROM unnest(\(ids), \(some.map(\.fence.rawValue)), \(some.map(\.epoch.rawValue))) AS a (id, fence, epoch)
                WHERE t.id = ANY(\(ids)) AND t.id = a.id AND t.fence = a.fence AND t.epoch = a.epoch
                  AND t.\(raw: Self.isRunning)
                RETURNING t.id, t.fence
                """
        }
        let rows = try await connection.pipeline(statements).joined()
        return Dictionary(
            try rows.map { (try $0.get("id"), try $0.get("fence")) }, uniquingKeysWith: { first, _ in first })
    }

    private static let tasksPerStatement = 64

    /// Writes the counts of open tasks, and inserts the commits of jobs that have none left.
    private func lower(_ jobs: [JobProgress], on connection: PostgresConnection) async throws {
        guard !jobs.isEmpty else { return }
        let changed = try await connection.executePipeline(
            jobs.map { job in
                """
                UPDATE job SET open_tasks = \(job.machine.openTasks)
                WHERE id = \(job.id) AND state = 'running' AND epoch = \(job.machine.epoch)
                  AND open_tasks = \(job.openBefore)
                """
            })
        guard changed.allSatisfy({ $0 == 1 }) else { throw JobError.leaseLost("a job changed while its tasks finished") }
        let complete = jobs.filter { $0.machine.openTasks == 0 }
        guard !complete.isEmpty else { return }
        let inserted = try await connection.execute(
            """
            INSERT INTO job_task (id, job, kind, version, account, role, priority, ordinal, epoch)
            SELECT gen_random_uuid(), a.job, a.kind, a.version, a.account, \(TaskRole.commit), \(TaskPriority.ending)::smallint, 0, a.epoch
            FROM unnest(\(complete.map(\.id.rawValue)), \(complete.map(\.kind.rawValue)), \(complete.map(\.version)),
                        \(complete.map(\.account)), \(complete.map(\.machine.epoch.rawValue)))
                AS a (job, kind, version, account, epoch)
            """)
        guard inserted == complete.count else { throw JobError.leaseLost("a commit exists already") }
        // One ring a kind: whoever hears it looks for all of them.
        for (kind, job) in Dictionary(complete.map { ($0.kind, $0.id) }, uniquingKeysWith: { first, _ in first }) {
            try await ring(kind, job: job, on: connection)
        }
    }

    /// A job's row under its lock, as far as the finishing of its tasks needs it: not the specification.
    private struct JobProgress {
        let id: JobID
        let kind: JobKind
        let version: Int
        let account: String
        let openBefore: Int
        var machine: JobStateMachine
        var ended: Set<TaskID> = []

        init(_ row: PostgresRow) throws {
            id = try row.get("id")
            kind = try row.get("kind")
            version = try row.get("version")
            account = try row.get("account")
            openBefore = try row.get("open_tasks")
            machine = JobStateMachine(
                state: try row.get("state"), epoch: try row.get("epoch"), openTasks: openBefore)
        }
    }
}

extension Duration {
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
