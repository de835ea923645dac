import Postgres

import struct FoundationEssentials.UUID

/// I1: whatever a client was told is accepted is in the catalog, with a job that is not forgotten.
package struct AcceptedJobs: Invariant {
    package let name = "I1"
    package let title = "no accepted job is lost"
    private static let batch = 500

    package init() {}

    package func check(_ cluster: VerifiedCluster) async throws -> Finding {
        var finding = Finding()
        for start in stride(from: 0, to: cluster.accepted.count, by: Self.batch) {
            let batch = Array(cluster.accepted[start..<min(start + Self.batch, cluster.accepted.count)])
            // A job that waits has a task that somebody will claim; without one it would wait for ever.
            let rows = try await cluster.jobs.query(
                """
                SELECT n.arn, r.arn IS NOT NULL AS known, j.id IS NOT NULL AS has_job, j.state,
                       j.finished_at IS NOT NULL AS ended,
                       EXISTS (SELECT FROM job_task t WHERE t.job = j.id AND t.epoch = j.epoch
                               AND t.state IN ('ready', 'running')) AS has_task
                FROM unnest(\(batch.map(\.arn))) AS n (arn)
                LEFT JOIN resources r ON r.arn = n.arn
                LEFT JOIN \(raw: VerifiedCluster.jobsAndHistory) j ON j.id = r.job
                """)
            for row in rows {
                let arn: String = try row.get("arn")
                if try !row.get("known", as: Bool.self) {
                    finding.violation("\(arn) was accepted and is not in the catalog")
                } else if try !row.get("has_job", as: Bool.self) {
                    finding.violation("\(arn) was accepted and has no job")
                } else if try !row.get("ended", as: Bool.self), try !row.get("has_task", as: Bool.self) {
                    finding.violation("\(arn): its job is \(try row.get("state", as: String.self)) and has no task to be claimed")
                }
            }
        }
        finding.count("accepted jobs", cluster.accepted.count)
        if cluster.accepted.isEmpty { finding.note("no client's file was given") }
        let idle = try await cluster.jobs.query(
            """
            SELECT j.id, j.state FROM job j
            WHERE j.finished_at IS NULL AND NOT EXISTS (
                SELECT FROM job_task t WHERE t.job = j.id AND t.epoch = j.epoch AND t.state IN ('ready', 'running'))
            """)
        for row in idle {
            let id: UUID = try row.get("id")
            finding.violation(
                "job \(id.uuidString.lowercased()) is \(try row.get("state", as: String.self)) with nothing left to claim")
        }
        let jobs: Int = try await cluster.jobs.query("SELECT count(*) AS jobs FROM job").first?.get("jobs") ?? 0
        finding.count("jobs", jobs)
        return finding
    }
}
