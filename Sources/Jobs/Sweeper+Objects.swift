import FoundationEssentials
import Postgres

extension Sweeper {
    /// Removes what nothing names. The row goes last, so a crash in between only repeats the removal.
    func collectObjects(_ term: LeadershipTerm) async throws -> Int {
        let rows = try await store.pool.query(
            """
            WITH due AS (
                SELECT name FROM job_object WHERE state = 'garbage' AND collect_after <= now()
                ORDER BY collect_after LIMIT \(Self.batch) FOR UPDATE SKIP LOCKED
            )
            UPDATE job_object AS o SET removals = removals + 1, collect_after = now() + interval '1 min'
            FROM due WHERE o.name = due.name AND o.state = 'garbage' AND \(holds: term)
            RETURNING o.name, o.removals
            """)
        var collected = 0
        for row in rows {
            let name: String = try row.get("name")
            try await remover.remove(name)
            collected += try await store.pool.execute(
                """
                DELETE FROM job_object
                WHERE name = \(name) AND state = 'garbage' AND removals = \(try row.get("removals", as: Int.self))
                  AND \(holds: term)
                """)
        }
        JobMetrics.objectsCollected(collected)
        return collected
    }
}

extension JobStore {
    /// Leaves to the collector what superseded attempts reserved and never recorded. Such an attempt has lost its
    /// lease, but an upload that it began may still land: hence the wait.
    func discardSuperseded(limit: Int, term: LeadershipTerm) async throws -> Int {
        try await pool.execute(
            """
            WITH superseded AS (
                SELECT o.name FROM job_object AS o JOIN job_task AS t ON t.id = o.task
                WHERE o.state = 'reserved' AND (o.fence < t.fence OR t.state IN ('done', 'failed'))
                  AND o.reserved_at + \(configuration.lease) <= now()
                ORDER BY o.reserved_at LIMIT \(limit) FOR UPDATE OF o SKIP LOCKED
            )
            UPDATE job_object AS o
            SET state = 'garbage', collect_after = now() + \(configuration.lease + configuration.uploadTimeout)
            FROM superseded AS s WHERE o.name = s.name AND o.state = 'reserved' AND \(holds: term)
            """)
    }
}
