import FoundationEssentials
import Postgres

extension Sweeper {
    /// Goes on with the grants of ended jobs and of expired readers, by the retiring principal alone: the sweeper
    /// verifies no specification, so it assumes no role that a row names.
    func retireLeftGrants(_ term: LeadershipTerm) async throws -> Int {
        let rows = try await store.pool.query(
            """
            WITH due AS (
                SELECT g.name FROM job_grant AS g LEFT JOIN job AS j ON j.id = g.job
                WHERE g.state IN ('retiring', 'left') AND g.grant_id IS NOT NULL AND g.retire_after <= now()
                  AND (g.job IS NULL OR j.finished_at IS NOT NULL)
                ORDER BY g.retire_after LIMIT \(Self.batch) FOR NO KEY UPDATE OF g SKIP LOCKED
            )
            UPDATE job_grant AS g SET retire_after = now() + interval '30 s' FROM due
            WHERE g.name = due.name AND g.state IN ('retiring', 'left') AND \(holds: term)
            RETURNING \(raw: GrantRecord.columns.split(separator: ", ").map { "g.\($0)" }.joined(separator: ", "))
            """)
        var recorded = 0
        for row in rows {
            let grant = try GrantRecord(row)
            guard let id = grant.grantID else { continue }
            let outcome = await retirer.retire(
                GrantToRetire(
                    name: grant.name, keyARN: grant.intent.keyARN, grantID: id, token: grant.token, roleARN: nil,
                    job: nil))
            // Nothing to count where somebody else recorded it, or another leads by now.
            guard try await store.recordRetirement(grant.name, grantID: id, outcome, term: term) else { continue }
            recorded += 1
            if let job = grant.job { try await store.recountLeft(of: job, term) }
        }
        return recorded
    }

    /// Pages through all grants that name our retiring principal and retires those that nobody owns any more.
    package func reconcileGrants() async throws -> Int {
        guard let term = try await leadership.campaign() else { return 0 }
        return try await reconcileGrants(term)
    }

    func reconcileGrants(_ term: LeadershipTerm) async throws -> Int {
        let began = try await store.now()
        var retired = 0
        var seen: Set<String> = []
        try await retirement.eachListed { grant in
            guard GrantName.owner(of: grant.name) != nil else { return }
            let (row, job) = try await store.states(of: grant.name)
            guard GrantReconciliation.decide(name: grant.name, row: row, job: job) == .retire else { return }
            let outcome = await retirer.retire(
                GrantToRetire(
                    name: grant.name, keyARN: grant.keyARN, grantID: grant.grantID, token: nil, roleARN: nil, job: nil))
            switch outcome {
            case .retired, .notFound: retired += 1
            case .denied, .unreachable:
                seen.insert(grant.name)
                // No row to say it of where the grant is of a database that was set back: it is listed again.
                try await store.recordRetirement(grant.name, grantID: nil, outcome, term: term)
            }
        }
        retired += try await store.settleUnrecorded(intendedBefore: began, except: Array(seen), term)
        return retired
    }
}

extension JobStore {
    func now() async throws -> Date {
        try await pool.query("SELECT now() AS now")[0].get("now")
    }

    func expireReadGrants(_ term: LeadershipTerm) async throws -> Int {
        try await pool.execute(
            """
            UPDATE job_grant SET state = 'retiring', retire_after = now()
            WHERE job IS NULL AND state IN ('intended', 'active') AND expires_at <= now() AND \(holds: term)
            """)
    }

    func recountLeft(of job: JobID, _ term: LeadershipTerm) async throws {
        try await pool.execute(
            """
            UPDATE job SET grants_left = (SELECT count(*) FROM job_grant WHERE job = \(job) AND state <> 'retired')
            WHERE id = \(job) AND finished_at IS NOT NULL AND \(holds: term)
            """)
    }

    /// The state of the row of this name, and of the job that the name says.
    func states(of grant: String) async throws -> (GrantState?, JobState?) {
        var job: JobID?
        if case .job(let id) = GrantName.owner(of: grant) { job = id }
        let rows = try await pool.query(
            """
            SELECT (SELECT state FROM job_grant WHERE name = \(grant)) AS grant_state,
                   (SELECT state FROM job WHERE id = \(job)) AS job_state
            """)
        return (
            try rows[0].get("grant_state", as: GrantState?.self), try rows[0].get("job_state", as: JobState?.self)
        )
    }

    /// Rows without a grant id that a whole listing, begun after their time, did not show: no grant was made for them.
    ///
    /// A CreateGrant under way when the listing began has its answer within the life of a reading grant.
    func settleUnrecorded(
        intendedBefore began: Date, except names: [String], _ term: LeadershipTerm
    ) async throws -> Int {
        let rows = try await pool.query(
            """
            UPDATE job_grant AS g SET state = 'retired', retired_at = now(), last_error = NULL
            WHERE state IN ('retiring', 'left') AND grant_id IS NULL AND name <> ALL (\(names))
              AND intended_at + \(configuration.readGrantLife) < \(began)
              AND (job IS NULL OR EXISTS (SELECT FROM job WHERE job.id = g.job AND finished_at IS NOT NULL))
              AND \(holds: term)
            RETURNING g.job
            """)
        for row in rows {
            if let job = try row.get("job", as: JobID?.self) { try await recountLeft(of: job, term) }
        }
        return rows.count
    }
}
