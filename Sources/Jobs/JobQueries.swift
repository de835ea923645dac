package import FoundationEssentials
package import Postgres

/// What `forecastle job list|show|watch` shows.
package struct JobQueries: Sendable {
    let pool: PostgresPool

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// A job in a line: state, times, and how far it is.
    package struct Summary: Sendable {
        package let job: JobRecord
        /// Input bytes and rows done, of all tasks; and the bytes that the plan expects.
        package let bytes: Int64
        package let rows: Int64
        package let expectedBytes: Int64
        package let chunks: Int
        package let finishedTasks: Int
        package let grantsOpen: Int
    }

    package struct Task: Sendable {
        package let id: TaskID
        package let role: TaskRole
        package let ordinal: Int
        package let state: TaskState
        package let fence: Fence
        package let attempts: Int
        package let losses: Int
        package let worker: String?
        package let leaseUntil: Date?
        package let chunks: Int
        package let bytes: Int64
        package let rows: Int64
        package let expectedBytes: Int64
        package let lastError: String?
        package let startedAt: Date?
        package let finishedAt: Date?
    }

    package struct Detail: Sendable {
        package let summary: Summary
        package let tasks: [Task]
        package let grants: [GrantRecord]
    }

    package static let listLimitMax = 1000

    /// The newest first, of those under way and of those that ended.
    package func list(
        state: JobState? = nil, kind: JobKind? = nil, account: String? = nil, limit: Int = 50
    ) async throws -> [Summary] {
        let limit = min(max(limit, 1), Self.listLimitMax)
        let rows = try await pool.query(
            """
            SELECT id FROM (
                (SELECT id, accepted_at FROM job
                 WHERE (\(state)::text IS NULL OR state = \(state)) AND (\(kind)::text IS NULL OR kind = \(kind))
                   AND (\(account)::text IS NULL OR account = \(account))
                 ORDER BY accepted_at DESC, id LIMIT \(limit))
                UNION ALL
                (SELECT id, accepted_at FROM job_history
                 WHERE (\(state)::text IS NULL OR state = \(state)) AND (\(kind)::text IS NULL OR kind = \(kind))
                   AND (\(account)::text IS NULL OR account = \(account))
                 ORDER BY accepted_at DESC, id LIMIT \(limit))
            ) AS newest ORDER BY accepted_at DESC, id LIMIT \(limit)
            """)
        return try await summaries(of: try rows.map { try $0.get("id") })
    }

    package func summary(_ id: JobID) async throws -> Summary? {
        try await summaries(of: [id.rawValue]).first
    }

    package func show(_ id: JobID) async throws -> Detail? {
        guard let summary = try await summary(id) else { return nil }
        let tasks = try await pool.query(
            """
            SELECT \(raw: Self.taskColumns) FROM (
                SELECT \(raw: Self.taskColumns), row_number() OVER (ORDER BY created_at, role, ordinal) AS place
                FROM job_task WHERE job = \(id)
                UNION ALL
                SELECT x.*, row_number() OVER () FROM job_history AS h
                CROSS JOIN LATERAL jsonb_to_recordset(h.tasks) AS x (
                    id uuid, role text, ordinal integer, state text, fence bigint, attempts integer, losses integer,
                    worker text, lease_until timestamptz, chunks integer, bytes bigint, rows bigint,
                    expected_bytes bigint, last_error text, started_at timestamptz, finished_at timestamptz)
                WHERE h.id = \(id)
            ) AS t ORDER BY place
            """
        ).map(Task.init)
        let grants = try await pool.query(
            """
            SELECT \(raw: GrantRecord.columns) FROM job_grant WHERE job = \(id)
            UNION ALL
            SELECT x.* FROM job_history AS h CROSS JOIN LATERAL jsonb_to_recordset(h.grants) AS x (
                name text, job uuid, owner text, artifact text, key_arn text, role_arn text, grantee text,
                operations text[], encryption_context jsonb, state text, grant_id text, grant_token text,
                expires_at timestamptz, last_error text, intended_at timestamptz, recorded_at timestamptz,
                retired_at timestamptz)
            WHERE h.id = \(id) ORDER BY name
            """
        ).map(GrantRecord.init)
        return Detail(summary: summary, tasks: tasks, grants: grants)
    }

    static let taskColumns = """
        id, role, ordinal, state, fence, attempts, losses, worker, lease_until, chunks, bytes, rows, expected_bytes, \
        last_error, started_at, finished_at
        """

    /// The job again and again, until it has ended (which is given too) or the reader stops.
    package func watch(_ id: JobID, every interval: Duration = .milliseconds(250)) -> Watch {
        Watch(queries: self, id: id, interval: interval)
    }

    package struct Watch: AsyncSequence, Sendable {
        let queries: JobQueries
        let id: JobID
        let interval: Duration

        package struct AsyncIterator: AsyncIteratorProtocol {
            let watch: Watch
            var isFirst = true
            var hasEnded = false

            package mutating func next() async throws -> Summary? {
                if hasEnded { return nil }
                if !isFirst { try await _Concurrency.Task.sleep(for: watch.interval) }
                isFirst = false
                let summary = try await watch.queries.summary(watch.id)
                hasEnded = summary?.job.state.isTerminal ?? true
                return summary
            }
        }

        package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(watch: self) }
    }

    private func summaries(of ids: [UUID]) async throws -> [Summary] {
        try await pool.query(
            """
            SELECT \(raw: JobRecord.columns), t.bytes, t.rows, t.expected_bytes, t.chunks, t.finished_tasks, g.grants_open
            FROM job AS j
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(bytes), 0)::bigint AS bytes, coalesce(sum(rows), 0)::bigint AS rows,
                       coalesce(sum(expected_bytes), 0)::bigint AS expected_bytes,
                       coalesce(sum(chunks), 0)::bigint AS chunks,
                       count(*) FILTER (WHERE role = 'work' AND state = 'done') AS finished_tasks
                FROM job_task WHERE job = j.id
            ) AS t
            CROSS JOIN LATERAL (
                SELECT count(*) AS grants_open FROM job_grant WHERE job = j.id AND state <> 'retired'
            ) AS g
            WHERE j.id = ANY(\(ids))
            UNION ALL
            SELECT \(raw: JobRecord.columns), bytes, rows, expected_bytes, chunks, finished_tasks, 0
            FROM job_history WHERE id = ANY(\(ids))
            ORDER BY accepted_at DESC, id
            """
        ).map { row in
            Summary(
                job: try JobRecord(row), bytes: try row.get("bytes"), rows: try row.get("rows"),
                expectedBytes: try row.get("expected_bytes"), chunks: try row.get("chunks"),
                finishedTasks: try row.get("finished_tasks"), grantsOpen: try row.get("grants_open"))
        }
    }
}

extension JobQueries.Task {
    init(_ row: PostgresRow) throws {
        id = try row.get("id")
        role = try row.get("role")
        ordinal = try row.get("ordinal")
        state = try row.get("state")
        fence = try row.get("fence")
        attempts = try row.get("attempts")
        losses = try row.get("losses")
        worker = try row.get("worker", as: String?.self)
        leaseUntil = try row.get("lease_until", as: Date?.self)
        chunks = try row.get("chunks")
        bytes = try row.get("bytes")
        rows = try row.get("rows")
        expectedBytes = try row.get("expected_bytes")
        lastError = try row.get("last_error", as: String?.self)
        startedAt = try row.get("started_at", as: Date?.self)
        finishedAt = try row.get("finished_at", as: Date?.self)
    }
}
