import FoundationEssentials
import Postgres

extension GrantRecord {
    static let columns = """
        name, job, owner, artifact, key_arn, role_arn, grantee, operations, encryption_context, state, grant_id, \
        grant_token, expires_at, last_error, intended_at, recorded_at, retired_at
        """

    init(_ row: PostgresRow) throws {
        name = try row.get("name")
        job = try row.get("job", as: JobID?.self)
        owner = try row.get("owner")
        intent = GrantIntent(
            artifact: try row.get("artifact"), keyARN: try row.get("key_arn"),
            roleARN: try row.get("role_arn", as: String?.self), grantee: try row.get("grantee"),
            operations: try row.get("operations"),
            encryptionContext: try row.get("encryption_context", as: JobJSON.self).decoded())
        state = try row.get("state")
        grantID = try row.get("grant_id", as: String?.self)
        token = try row.get("grant_token", as: String?.self)
        expiresAt = try row.get("expires_at", as: Date?.self)
        lastError = try row.get("last_error", as: String?.self)
        intendedAt = try row.get("intended_at")
        recordedAt = try row.get("recorded_at", as: Date?.self)
        retiredAt = try row.get("retired_at", as: Date?.self)
    }
}

extension JobStore {
    /// Stores the intent of a job's grant under fence and epoch, or finds the one that an earlier attempt stored.
    package func intend(_ intent: GrantIntent, by task: ClaimedTask) async throws -> GrantRecord {
        let name = GrantName.job(task.job.id, artifact: intent.artifact)
        try GrantName.validate(name)
        let context = try JobJSON(intent.encryptionContext)
        let rows = try await pool.query(
            """
            WITH owner AS (
                SELECT job FROM job_task
                WHERE id = \(task.id) AND fence = \(task.fence) AND epoch = \(task.epoch) AND state = 'running'
                FOR SHARE
            )
            INSERT INTO job_grant (name, job, owner, artifact, key_arn, role_arn, grantee, operations,
                                   encryption_context)
            SELECT \(name), job, \(task.job.id.description), \(intent.artifact), \(intent.keyARN), \(intent.roleARN),
                   \(intent.grantee), \(intent.operations), \(context)
            FROM owner
            ON CONFLICT (name) DO UPDATE SET state = job_grant.state WHERE job_grant.state IN ('intended', 'active')
            RETURNING \(raw: GrantRecord.columns)
            """)
        try requireOne(rows.count, "another attempt has it, or the job ended")
        let record = try GrantRecord(rows[0])
        // Two sets of parameters under one Name would make two grants, and only one of them would be found again.
        guard record.intent == intent else {
            throw JobError(.invalid, "A grant of this name was intended with other parameters.")
        }
        return record
    }

    /// Records what CreateGrant answered, under fence and epoch.
    package func recordGrant(_ name: String, id: String, token: String?, by task: ClaimedTask) async throws {
        let changed = try await pool.execute(
            """
            WITH owner AS (
                SELECT job FROM job_task
                WHERE id = \(task.id) AND fence = \(task.fence) AND epoch = \(task.epoch) AND state = 'running'
                FOR SHARE
            )
            UPDATE job_grant AS g
            SET state = 'active', grant_id = \(id), grant_token = \(token), recorded_at = coalesce(recorded_at, now())
            FROM owner
            WHERE g.name = \(name) AND g.job = owner.job
              AND (g.state = 'intended' OR (g.state = 'active' AND g.grant_id = \(id)))
            """)
        try requireOne(changed, "another attempt has it, or the job ended")
    }

    package func grants(of job: JobID) async throws -> [GrantRecord] {
        try await pool.query(
            "SELECT \(raw: GrantRecord.columns) FROM job_grant WHERE job = \(job) ORDER BY name"
        ).map(GrantRecord.init)
    }

    /// What came of retiring. Retired is final whoever finds it out, so a worker needs no fence: a grant that is gone is
    /// gone. A job's grants stay in their state otherwise.
    ///
    /// - Parameter term: of a sweeper; an old leader's word changes nothing.
    /// - Returns: whether the row was still to be retired, and the term, where there is one, still holds.
    @discardableResult
    package func recordRetirement(
        _ name: String, grantID: String?, _ outcome: RetireOutcome, term: LeadershipTerm? = nil
    ) async throws -> Bool {
        let changed: Int
        switch outcome {
        case .retired, .notFound:
            changed = try await pool.execute(
                """
                UPDATE job_grant SET state = 'retired', retired_at = now(), retire_attempts = retire_attempts + 1,
                                     last_error = NULL
                WHERE name = \(name) AND state IN ('retiring', 'left') AND grant_id IS NOT DISTINCT FROM \(grantID)
                  AND \(holds: term)
                """)
            if changed > 0 { JobMetrics.grantRetired() }
        case .denied(let message), .unreachable(let message):
            changed = try await pool.execute(
                """
                UPDATE job_grant
                SET retire_attempts = retire_attempts + 1, last_error = left(\(message), 2048),
                    retire_after = now() + least(interval '30 s', interval '250 ms' * power(2, least(retire_attempts, 8)))
                WHERE name = \(name) AND state IN ('retiring', 'left') AND \(holds: term)
                """)
            if changed > 0 { JobMetrics.grantNotRetired() }
        }
        // The name is the key: more than one row cannot be.
        return changed == 1
    }
}
