import FoundationEssentials
import Postgres

/// What a beat says of one held task.
package enum BeatAnswer: Sendable, Hashable {
    case held
    /// Its row is locked by a transaction of its own work: ask again with the next beat.
    case busy
    case lost(HeldLease.Loss)
}

/// What a beat asks of one held task.
package struct BeatEntry: Sendable {
    let task: TaskID
    let fence: Fence
    let bytes: Int64
    let rows: Int64

    package init(task: TaskID, fence: Fence, bytes: Int64 = 0, rows: Int64 = 0) {
        self.task = task
        self.fence = fence
        self.bytes = bytes
        self.rows = rows
    }
}

extension JobStore {
    /// Renews all leases of a worker and reports progress, in one statement; the answer carries what was lost.
    ///
    /// Rows that are locked are skipped: one long transaction of one task must not cost the others their leases.
    package func renew(_ entries: [BeatEntry]) async throws -> [TaskID: BeatAnswer] {
        let ids = entries.map(\.task.rawValue)
        let rows = try await pool.query(
            """
            WITH asked AS (
                SELECT * FROM unnest(\(entries.map(\.task.rawValue)), \(entries.map(\.fence.rawValue)),
                                     \(entries.map(\.bytes)), \(entries.map(\.rows)))
                    AS a (id, fence, bytes, rows)
            ), free AS (
                SELECT t.id FROM job_task AS t JOIN asked AS a ON t.id = a.id
                WHERE t.id = ANY(\(ids)) AND t.fence = a.fence AND t.\(raw: Self.isRunning) AND t.lease_until > now()
                FOR NO KEY UPDATE OF t SKIP LOCKED
            ), renewed AS (
                UPDATE job_task AS t
                SET lease_until = now() + \(configuration.lease), bytes = greatest(t.bytes, a.bytes),
                    rows = greatest(t.rows, a.rows)
                FROM asked AS a JOIN free AS f ON f.id = a.id
                WHERE t.id = a.id AND t.id = ANY(\(ids)) AND t.fence = a.fence AND t.\(raw: Self.isRunning)
                RETURNING t.id
            )
            SELECT a.id, r.id IS NOT NULL AS renewed, t.state, t.fence = a.fence AS same_fence,
                   t.lease_until > now() AS alive
            FROM asked AS a LEFT JOIN renewed AS r ON r.id = a.id LEFT JOIN job_task AS t ON t.id = a.id
            """)
        var answers: [TaskID: BeatAnswer] = [:]
        for row in rows { answers[try row.get("id")] = try Self.answer(row) }
        return answers
    }

    private static func answer(_ row: PostgresRow) throws -> BeatAnswer {
        if try row.get("renewed") { return .held }
        guard try row.get("same_fence", as: Bool?.self) == true else { return .lost(.taken) }
        switch try row.get("state", as: TaskState.self) {
        case .running: return try row.get("alive", as: Bool?.self) == true ? .busy : .lost(.trustEnded)
        case .cancelled: return .lost(.cancelled)
        // The work itself ended the task between two beats.
        case .done, .failed, .ready: return .busy
        }
    }
}
