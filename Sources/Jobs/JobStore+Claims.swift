import FoundationEssentials
import Postgres

/// Where a worker's next claim begins its walk through the accounts: behind the last one it saw, where more had work than
/// one claim looks at.
package struct ClaimCursor: Sendable, Hashable {
    fileprivate var account = ""

    package init() {}
}

extension JobStore {
    /// Claims up to `limit` tasks of the kinds (each up to its version): those whose lease ran out under another worker,
    /// then those that are ready, by `FairShare`. Each gets a lease and a new fence. Kinds and versions that are not named
    /// stay.
    ///
    /// `TaskStateMachine.claimed` for many rows at once.
    package func claim(
        _ kinds: [(kind: JobKind, version: Int)], limit: Int, worker: String, cursor: inout ClaimCursor
    ) async throws -> [ClaimedTask] {
        // Taken before the first statement is sent: the lease that the database gives cannot end earlier than this says.
        let trustFrom = ContinuousClock.now
        let outlook = try await outlook(kinds, limit: limit, cursor: &cursor)
        var rows: [PostgresRow] = []
        // First: behind a queue that never ends, nobody would come to take a dead worker's tasks over.
        if outlook.hasLapsed { rows = try await claimLost(kinds, limit: limit, worker: worker) }
        let free = limit - rows.count
        if free > 0, !outlook.queues.isEmpty {
            if let most = configuration.accountTasksMax {
                rows += try await transaction { connection in
                    try await claimWithin(most, outlook, kinds, free: free, worker: worker, on: connection)
                }
            } else {
                let shares = FairShare.shares(of: free, among: outlook.queues, running: outlook.running)
                let statement = claimReady(outlook.queues, shares, kinds, worker: worker)
                rows += try await pool.query(statement)
            }
        }
        guard !rows.isEmpty else { return [] }
        return try await claimed(rows, trustFrom: trustFrom)
    }

    /// One claim by itself.
    package func claim(
        _ kinds: [(kind: JobKind, version: Int)], limit: Int, worker: String
    ) async throws -> [ClaimedTask] {
        var cursor = ClaimCursor()
        return try await claim(kinds, limit: limit, worker: worker, cursor: &cursor)
    }

    /// Accounts that one claim looks at, of each kind and priority. All of them get their turn: the next claim goes on
    /// behind.
    package static let accountsMax = 32

    private static let claimColumns = """
        t.id, t.job, t.role, t.ordinal, t.input, t.expected_bytes, t.epoch, t.fence, t.attempts, t.losses, t.failures
        """

    /// `state = 'ready'` and `'running'` for statements that name their tasks by id: written so that the planner does not
    /// take the partial index of that state, which it would read whole, for the key.
    static let isReady = "state IS NOT DISTINCT FROM 'ready'"
    static let isRunning = "state IS NOT DISTINCT FROM 'running'"

    /// What there is to claim.
    private struct Outlook {
        var queues: [FairShare.Queue] = []
        var running: [String: Int] = [:]
        var hasLapsed = false
    }

    /// Steps through the index from account to account, without reading what lies between: its cost does not grow with
    /// the length of the queues.
    private func outlook(
        _ kinds: [(kind: JobKind, version: Int)], limit: Int, cursor: inout ClaimCursor
    ) async throws -> Outlook {
        let names = kinds.map(\.kind.rawValue)
        let answers = try await pool.withConnection { connection in
            try await connection.pipeline([
                """
                WITH RECURSIVE class AS (
                    SELECT k.kind, k.version, first.priority
                    FROM unnest(\(names)::text[], \(kinds.map(\.version))::bigint[]) AS k (kind, version)
                    CROSS JOIN LATERAL (
                        SELECT priority FROM job_task WHERE state = 'ready' AND kind = k.kind ORDER BY priority LIMIT 1
                    ) AS first
                    UNION ALL
                    SELECT c.kind, c.version, next.priority
                    FROM class AS c CROSS JOIN LATERAL (
                        SELECT priority FROM job_task WHERE state = 'ready' AND kind = c.kind AND priority > c.priority
                        ORDER BY priority LIMIT 1
                    ) AS next
                )
                SELECT c.kind, c.priority, a.account, a.place, due.tasks, due.oldest
                FROM class AS c CROSS JOIN LATERAL (
                    WITH RECURSIVE behind AS (
                        (SELECT account, 1 AS place FROM job_task
                         WHERE state = 'ready' AND kind = c.kind AND priority = c.priority AND account > \(cursor.account)
                         ORDER BY account LIMIT 1)
                        UNION ALL
                        SELECT next.account, b.place + 1
                        FROM behind AS b CROSS JOIN LATERAL (
                            SELECT account FROM job_task
                            WHERE state = 'ready' AND kind = c.kind AND priority = c.priority AND account > b.account
                            ORDER BY account LIMIT 1
                        ) AS next
                        WHERE b.place < \(Self.accountsMax)
                    ), before AS (
                        (SELECT account, 1 AS place FROM job_task
                         WHERE state = 'ready' AND kind = c.kind AND priority = c.priority AND account <= \(cursor.account)
                         ORDER BY account LIMIT 1)
                        UNION ALL
                        SELECT next.account, b.place + 1
                        FROM before AS b CROSS JOIN LATERAL (
                            SELECT account FROM job_task
                            WHERE state = 'ready' AND kind = c.kind AND priority = c.priority AND account > b.account
                              AND account <= \(cursor.account)
                            ORDER BY account LIMIT 1
                        ) AS next
                        WHERE b.place < \(Self.accountsMax)
                    )
                    SELECT account, place FROM behind
                    UNION ALL SELECT account, \(Self.accountsMax) + place FROM before
                    ORDER BY place LIMIT \(Self.accountsMax)
                ) AS a CROSS JOIN LATERAL (
                    SELECT count(*) AS tasks, min(not_before) AS oldest FROM (
                        SELECT not_before FROM job_task
                        WHERE state = 'ready' AND kind = c.kind AND priority = c.priority AND account = a.account
                          AND version <= c.version AND not_before <= now()
                        ORDER BY not_before, id LIMIT \(limit)
                    ) AS head
                ) AS due
                ORDER BY c.priority, c.kind, a.place
                """,
                """
                SELECT account, count(*) AS tasks,
                       count(*) FILTER (WHERE lease_until <= now() AND kind = ANY(\(names)::text[])) AS lapsed
                FROM job_task WHERE state = 'running' GROUP BY account
                """,
            ])
        }
        var outlook = Outlook()
        var seen: [String: [String]] = [:]
        for row in answers[0] {
            let kind: JobKind = try row.get("kind")
            let priority: TaskPriority = try row.get("priority")
            let account: String = try row.get("account")
            seen["\(priority) \(kind)", default: []].append(account)
            let due: Int = try row.get("tasks")
            guard due > 0, let oldest = try row.get("oldest", as: Date?.self) else { continue }
            outlook.queues.append(.init(kind: kind, priority: priority, account: account, due: due, oldest: oldest))
        }
        let crowd = seen.sorted { $0.key < $1.key }.first { $0.value.count >= Self.accountsMax }
        cursor.account = crowd?.value.last ?? ""
        for row in answers[1] {
            outlook.running[try row.get("account")] = try row.get("tasks")
            if try row.get("lapsed", as: Int.self) > 0 { outlook.hasLapsed = true }
        }
        return outlook
    }

    private func claimReady(
        _ queues: [FairShare.Queue], _ shares: [Int], _ kinds: [(kind: JobKind, version: Int)], worker: String
    ) -> PostgresQuery {
        let versions = Dictionary(kinds.map { ($0.kind, $0.version) }, uniquingKeysWith: max)
        let taken = queues.indices.filter { shares[$0] > 0 }
        return """
            WITH due AS (
                SELECT t.id FROM unnest(
                    \(taken.map { queues[$0].kind.rawValue })::text[],
                    \(taken.map { versions[queues[$0].kind] ?? 0 })::bigint[],
                    \(taken.map { queues[$0].priority.rawValue })::bigint[], \(taken.map { queues[$0].account })::text[],
                    \(taken.map { shares[$0] })::bigint[]) AS s (kind, version, priority, account, tasks)
                CROSS JOIN LATERAL (
                    SELECT id FROM job_task
                    WHERE state = 'ready' AND kind = s.kind AND priority = s.priority::smallint AND account = s.account
                      AND version <= s.version AND not_before <= now()
                    ORDER BY not_before, id LIMIT s.tasks FOR UPDATE SKIP LOCKED
                ) AS t
            )
            UPDATE job_task AS t
            SET state = 'running', fence = fence + 1, attempts = attempts + 1, worker = \(worker),
                lease_until = now() + \(configuration.lease), started_at = coalesce(started_at, now())
            WHERE t.id = ANY(ARRAY(SELECT id FROM due)) AND t.\(raw: Self.isReady)
            RETURNING \(raw: Self.claimColumns)
            """
    }

    /// Claims for accounts that may not have more than so many tasks at work. Two claims for one account follow each
    /// other: the second counts what the first took. An account that another worker is just claiming for is passed over.
    private func claimWithin(
        _ most: Int, _ outlook: Outlook, _ kinds: [(kind: JobKind, version: Int)], free: Int, worker: String,
        on connection: PostgresConnection
    ) async throws -> [PostgresRow] {
        let accounts = Array(Set(outlook.queues.map(\.account))).sorted()
        let locked = try await connection.query(
            """
            SELECT a.account FROM unnest(\(accounts)::text[]) AS a (account)
            WHERE pg_try_advisory_xact_lock(\(Self.accountLock)::int, hashtext(a.account))
            """)
        let ours = Set(try locked.map { try $0.get("account", as: String.self) })
        var running = outlook.running
        for account in ours { running[account] = 0 }
        for row in try await connection.query(
            """
            SELECT account, count(*) AS tasks FROM job_task
            WHERE state = 'running' AND account = ANY(\(Array(ours))::text[]) GROUP BY account
            """)
        { running[try row.get("account")] = try row.get("tasks") }
        let queues = outlook.queues.filter { ours.contains($0.account) || $0.priority == .ending }
        let shares = FairShare.shares(of: free, among: queues, running: running, accountTasksMax: most)
        guard shares.contains(where: { $0 > 0 }) else { return [] }
        return try await connection.query(claimReady(queues, shares, kinds, worker: worker))
    }

    /// The first half of the advisory locks of accounts, apart from those of others.
    private static let accountLock: Int32 = 0x6163_6374

    private func claimLost(
        _ kinds: [(kind: JobKind, version: Int)], limit: Int, worker: String
    ) async throws -> [PostgresRow] {
        let pause = Duration.seconds(TaskStateMachine.pauseAfterManyLosses)
        let rows = try await pool.query(
            """
            WITH lost AS (
                SELECT t.id FROM job_task AS t
                JOIN unnest(\(kinds.map(\.kind.rawValue))::text[], \(kinds.map(\.version))::bigint[]) AS k (kind, version)
                  ON t.kind = k.kind AND t.version <= k.version
                WHERE t.state = 'running' AND t.lease_until <= now()
                  AND (t.losses + 1 < \(configuration.lossesMax)
                       OR (t.must_finish AND t.lease_until + \(pause) <= now()))
                ORDER BY t.lease_until LIMIT \(limit) FOR UPDATE OF t SKIP LOCKED
            )
            UPDATE job_task AS t
            SET fence = t.fence + 1, attempts = attempts + 1, losses = losses + 1, worker = \(worker),
                lease_until = now() + \(configuration.lease)
            WHERE t.id = ANY(ARRAY(SELECT id FROM lost)) AND t.\(raw: Self.isRunning) AND t.lease_until <= now()
            RETURNING \(raw: Self.claimColumns)
            """)
        if !rows.isEmpty { JobMetrics.leasesExpired(rows.count) }
        return rows
    }

    private func claimed(_ rows: [PostgresRow], trustFrom: ContinuousClock.Instant) async throws -> [ClaimedTask] {
        let ids = Set(try rows.map { try $0.get("job", as: UUID.self) })
        var jobs: [JobID: JobRecord] = [:]
        for row in try await pool.query("SELECT \(raw: JobRecord.columns) FROM job WHERE id = ANY(\(Array(ids)))") {
            let job = try JobRecord(row)
            jobs[job.id] = job
        }
        let trust = TrustWindow(from: trustFrom, lease: configuration.lease, margin: configuration.trustMargin)
        return try rows.compactMap { row in
            guard let job = jobs[try row.get("job")] else { return nil }
            return ClaimedTask(
                id: try row.get("id"), job: job, role: try row.get("role"), ordinal: try row.get("ordinal"),
                specification: TaskSpecification(
                    input: try row.get("input"), expectedBytes: try row.get("expected_bytes")),
                epoch: try row.get("epoch"), fence: try row.get("fence"), attempt: try row.get("attempts"),
                losses: try row.get("losses"), failures: try row.get("failures"), lease: HeldLease(trust))
        }
    }
}
