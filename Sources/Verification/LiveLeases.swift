import Postgres

import struct FoundationEssentials.UUID

/// I3: no task is called running long after the lease under which somebody ran it.
package struct LiveLeases: Invariant {
    package let name = "I3"
    package let title = "no task runs without a live lease"
    /// Tasks that must end are taken over after many losses only at this pace (`TaskStateMachine`).
    private static let pauseAfterManyLosses: Duration = .seconds(30)

    package init() {}

    package func check(_ cluster: VerifiedCluster) async throws -> Finding {
        var finding = Finding()
        let grace = cluster.lease + cluster.beat
        let rows = try await cluster.jobs.query(
            """
            SELECT t.id, t.worker, extract(epoch FROM clock_timestamp() - t.lease_until)::bigint AS late,
                   t.lease_until < clock_timestamp()
                       - CASE WHEN t.must_finish THEN \(grace + Self.pauseAfterManyLosses) ELSE \(grace) END AS dead
            FROM job_task t WHERE t.state = 'running'
            """)
        for row in rows where try row.get("dead", as: Bool.self) {
            let id: UUID = try row.get("id")
            finding.violation(
                "task \(id.uuidString.lowercased()) of \(try row.get("worker", as: String?.self) ?? "nobody") is running, "
                    + "\(try row.get("late", as: Int.self)) s after its lease")
        }
        finding.count("running tasks", rows.count)
        let tasks: Int = try await cluster.jobs.query("SELECT count(*) AS tasks FROM job_task").first?.get("tasks") ?? 0
        finding.count("tasks", tasks)
        return finding
    }
}
