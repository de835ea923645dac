import FoundationEssentials
import Logging
import Postgres

extension JobStore {
    /// Jobs that one transaction moves at most.
    static let archiveBatch = 500

    /// Moves jobs that ended a while ago, with their tasks and grants, into the day's partition of the history. A job with
    /// a grant that is still to be retired stays. Published objects are named by their resources' manifests and stay too.
    ///
    /// - Returns: how many were moved.
    package func archive(limit: Int = archiveBatch, term: LeadershipTerm) async throws -> Int {
        try await transaction { connection in
            let due = try await connection.query(
                """
                SELECT j.id, to_char(j.finished_at, 'YYYYMMDD') AS day FROM job AS j
                WHERE j.finished_at IS NOT NULL AND j.finished_at + \(configuration.historyAfter) <= now()
                  AND NOT EXISTS (SELECT FROM job_grant AS g WHERE g.job = j.id AND g.state <> 'retired')
                  AND \(holds: term)
                ORDER BY j.finished_at LIMIT \(limit) FOR UPDATE OF j SKIP LOCKED
                """)
            guard !due.isEmpty else { return 0 }
            for day in Set(try due.map { try $0.get("day", as: String.self) }) {
                // The history's owner makes it, not this process's role.
                try await connection.query("SELECT job_history_make_day(\(day))")
            }
            let ids = try due.map { try $0.get("id", as: UUID.self) }
            let counts = try await connection.executePipeline([
                """
                INSERT INTO job_history (\(raw: JobRecord.columns), bytes, rows, expected_bytes, chunks, finished_tasks,
                                         tasks, grants)
                SELECT \(raw: JobRecord.columns), t.bytes, t.rows, t.expected_bytes, t.chunks, t.finished_tasks, t.tasks, g.grants
                FROM job AS j CROSS JOIN LATERAL (
                    SELECT coalesce(sum(bytes), 0) AS bytes, coalesce(sum(rows), 0) AS rows,
                           coalesce(sum(expected_bytes), 0) AS expected_bytes, coalesce(sum(chunks), 0) AS chunks,
                           count(*) FILTER (WHERE role = 'work' AND state = 'done') AS finished_tasks,
                           coalesce(jsonb_agg(to_jsonb(x) - 'created_at' ORDER BY created_at, role, ordinal), '[]') AS tasks
                    FROM (SELECT \(raw: JobQueries.taskColumns), created_at FROM job_task WHERE job = j.id) AS x
                ) AS t CROSS JOIN LATERAL (
                    SELECT coalesce(jsonb_agg(to_jsonb(x) ORDER BY name), '[]') AS grants
                    FROM (SELECT \(raw: GrantRecord.columns) FROM job_grant WHERE job = j.id) AS x
                ) AS g
                WHERE j.id = ANY(\(ids))
                """,
                "DELETE FROM job_grant WHERE job = ANY(\(ids)) AND state = 'retired'",
                // Its tasks and their chunks go with it.
                "DELETE FROM job WHERE id = ANY(\(ids)) AND finished_at IS NOT NULL",
            ])
            guard counts[0] == ids.count, counts[2] == ids.count else {
                throw JobError.retriable("A finished job changed while it was moved.")
            }
            return ids.count
        }
    }

    /// Drops the days that are over, whole, and the dead letters and reading grants of that time.
    ///
    /// - Returns: how many partitions went.
    package func forgetHistory(term: LeadershipTerm) async throws -> Int {
        try await transaction { connection in
            let dropped = try await connection.query(
                """
                SELECT job_history_drop_days(\(configuration.retentionDays)::int) AS days WHERE \(holds: term)
                """)
            try await connection.execute(
                """
                DELETE FROM job_dead_letter
                WHERE died_at + make_interval(days => \(configuration.retentionDays)::int) <= now() AND \(holds: term)
                """)
            try await connection.execute(
                """
                DELETE FROM job_grant
                WHERE job IS NULL AND state = 'retired' AND retired_at + interval '1 day' <= now() AND \(holds: term)
                """)
            return try dropped.first?.get("days", as: Int.self) ?? 0
        }
    }

    /// A failed job that is to run again comes back; its earlier tasks and grants stay behind.
    func returnFromHistory(_ id: JobID, on connection: PostgresConnection) async throws {
        let returned = try await connection.execute(
            """
            WITH gone AS (DELETE FROM job_history WHERE id = \(id) AND state = 'failed' RETURNING *)
            INSERT INTO job (\(raw: JobRecord.columns)) SELECT \(raw: JobRecord.columns) FROM gone
            """)
        if returned > 0 { return logger.info("A job comes back from the history", metadata: ["job": "\(id)"]) }
        if let row = try await connection.query("SELECT state FROM job_history WHERE id = \(id)").first {
            throw JobError.cannotRunAgain(try row.get("state"))
        }
    }
}

extension JobError {
    static func cannotRunAgain(_ state: JobState) -> JobError {
        JobError(.invalid, "The job is \(state.rawValue); only one that failed can run again.")
    }
}
