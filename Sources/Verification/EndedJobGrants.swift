import Postgres

import struct FoundationEssentials.UUID

/// I4: a job that has ended has no grant at KMS, but for those that it is counted to have left.
package struct EndedJobGrants: Invariant {
    package let name = "I4"
    package let title = "no grant of a job outlives it"

    package init() {}

    package func check(_ cluster: VerifiedCluster) async throws -> Finding {
        var finding = Finding()
        let recorded = try await cluster.jobs.query(
            """
            SELECT g.name, g.state FROM job_grant g JOIN job j ON j.id = g.job
            WHERE j.finished_at IS NOT NULL AND g.state NOT IN ('retired', 'left')
            """)
        for row in recorded {
            let (grant, state): (String, String) = (try row.get("name"), try row.get("state"))
            finding.violation("the job of \(grant) has ended and the grant is \(state)")
        }
        guard let authority = cluster.authority else {
            finding.note("KMS is another server; its grants were not read")
            return finding
        }
        // Grants first: a job that ends between the two reads had its grants retired before.
        let grants: [String] = try await authority.query("SELECT name FROM key_grants WHERE name LIKE 'job/%'").map {
            try $0.get("name")
        }
        finding.count("grants of jobs at KMS", grants.count)
        let jobs = Dictionary(grouping: grants) { name in
            name.split(separator: "/").dropFirst().first.flatMap { UUID(uuidString: String($0)) }
        }
        let known = try await cluster.jobs.query(
            """
            SELECT j.id, j.finished_at IS NOT NULL AS ended,
                   (SELECT coalesce(array_agg(name), '{}') FROM job_grant WHERE job = j.id AND state = 'left') AS grants_left
            FROM \(raw: VerifiedCluster.jobsAndHistory) j WHERE j.id = ANY(\(jobs.keys.compactMap { $0 }))
            """)
        var names: [UUID: (ended: Bool, left: Set<String>)] = [:]
        for row in known {
            names[try row.get("id")] = (try row.get("ended"), Set(try row.get("grants_left", as: [String].self)))
        }
        var left = 0
        for (job, grants) in jobs {
            guard let job, let facts = names[job] else {
                for grant in grants { finding.violation("\(grant) is at KMS and its job is unknown") }
                continue
            }
            for grant in grants where facts.ended {
                if facts.left.contains(grant) { left += 1 } else { finding.violation("\(grant) is at KMS and its job has ended") }
            }
        }
        if left > 0 { finding.note("\(left) grants are counted as left") }
        let ended: Int =
            try await cluster.jobs.query(
                "SELECT count(*) AS jobs FROM job WHERE finished_at IS NOT NULL"
            ).first?.get("jobs") ?? 0
        finding.count("ended jobs", ended)
        return finding
    }
}
