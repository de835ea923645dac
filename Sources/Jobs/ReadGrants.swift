import FoundationEssentials
package import Logging
package import Postgres

/// Grants for reading artifacts outside of jobs: one per artifact and process, shared by its requests, extended while
/// it is used and retired a minute after.
///
/// They stand in the same table as the grants of jobs, with an owner and an expiry, so whatever becomes of the process
/// the sweeper retires them.
package actor ReadGrants {
    private enum Entry {
        case creating([CheckedContinuation<GrantRecord, any Error>])
        case ready(GrantRecord, until: ContinuousClock.Instant)
    }

    private let store: JobStore
    private let process: String
    private let retirer: any GrantRetirer
    private let logger: Logger
    private var entries: [String: Entry] = [:]
    private var isClosed = false

    /// - Parameter process: unique among all processes, ever: a restarted process must not take over old rows.
    package init(
        process: String, pool: PostgresPool, retirer: any GrantRetirer,
        configuration: JobsConfiguration = JobsConfiguration(), logger: Logger
    ) {
        self.process = process
        self.retirer = retirer
        self.logger = logger
        store = JobStore(pool: pool, configuration: configuration, logger: logger, wakeRelay: {})
    }

    /// The grant for an artifact: one in use, or a new one.
    ///
    /// The caller's own rights are checked elsewhere, on every call: this only spares calls to KMS.
    ///
    /// - Parameter create: calls CreateGrant with the record's `name` as Name.
    package func grant(
        _ intent: GrantIntent,
        create: @Sendable (GrantRecord) async throws -> (grantID: String, token: String?)
    ) async throws -> GrantRecord {
        if isClosed { throw JobError.retriable("The process is shutting down.") }
        switch entries[intent.artifact] {
        case .ready(let record, let until):
            if record.intent == intent {
                guard until - .now < store.configuration.readGrantLife / 2 else { return record }
                if try await extend(record) { return record }
            }
            try await giveUp(record)
            return try await grant(intent, create: create)
        case .creating(let waiters):
            return try await withCheckedThrowingContinuation { continuation in
                entries[intent.artifact] = .creating(waiters + [continuation])
            }
        default:
            return try await renew(intent, create)
        }
    }

    /// Forgets a grant that KMS refused, so that the next use asks for a new one.
    package func forget(_ artifact: String) async throws {
        guard case .ready(let record, _) = entries[artifact] else { return }
        try await giveUp(record)
    }

    /// At shutdown: gives all of them up and retires them; what fails is left to the sweeper.
    package func close() async {
        isClosed = true
        let records = entries.values.compactMap { entry in
            if case .ready(let record, _) = entry { record } else { nil }
        }
        for record in records {
            do {
                try await giveUp(record)
            } catch {
                logger.warning(
                    "A reading grant is left to the sweeper",
                    metadata: ["grant": "\(record.name)", "error": "\(error)"])
            }
        }
    }

    private func renew(
        _ intent: GrantIntent, _ create: @Sendable (GrantRecord) async throws -> (grantID: String, token: String?)
    ) async throws -> GrantRecord {
        entries[intent.artifact] = .creating([])
        let result: Result<GrantRecord, any Error>
        let began = ContinuousClock.now
        do {
            let intended = try await store.intendReading(intent, process: process)
            let (id, token) = try await create(intended)
            result = .success(try await store.recordReading(intended.name, id: id, token: token))
        } catch {
            result = .failure(error)
        }
        // Whoever asked meanwhile waits in the entry as it is now, not as it was.
        let waiters: [CheckedContinuation<GrantRecord, any Error>]
        if case .creating(let waiting) = entries[intent.artifact] { waiters = waiting } else { waiters = [] }
        if case .success(let record) = result {
            entries[intent.artifact] = .ready(record, until: began + usableLife)
        } else {
            entries[intent.artifact] = nil
        }
        for waiter in waiters { waiter.resume(with: result) }
        return try result.get()
    }

    /// Retires a grant that is expired, refused or not needed any more. A failure leaves it to the sweeper.
    private func giveUp(_ record: GrantRecord) async throws {
        if case .ready(let current, _) = entries[record.intent.artifact], current.grantID == record.grantID {
            entries[record.intent.artifact] = nil
        }
        try await store.expireReadGrant(record.name, grantID: record.grantID)
        guard let id = record.grantID else { return }
        let outcome = await retirer.retire(
            GrantToRetire(
                name: record.name, keyARN: record.intent.keyARN, grantID: id, token: record.token,
                roleARN: record.intent.roleARN, job: nil))
        try await store.recordRetirement(record.name, grantID: id, outcome)
    }

    /// - Returns: false where it expired meanwhile.
    private func extend(_ record: GrantRecord) async throws -> Bool {
        let began = ContinuousClock.now
        let isExtended = try await store.extendReading(record.name)
        // Others ran while this waited: only the same grant's entry is ours to change.
        if isExtended, case .ready(let current, _) = entries[record.intent.artifact],
            current.grantID == record.grantID
        {
            entries[record.intent.artifact] = .ready(record, until: began + usableLife)
        }
        return isExtended
    }

    /// A request that was given the grant at the end of this still has time to use it before the sweeper comes.
    private var usableLife: Duration { store.configuration.readGrantLife * 3 / 4 }
}

extension JobStore {
    /// Stores the intent of a reading grant. A row of the same name is used again once its grant is retired; one that
    /// is being retired must be gone first, or the two grants could not be told apart.
    func intendReading(_ intent: GrantIntent, process: String) async throws -> GrantRecord {
        let name = GrantName.read(process: process, artifact: intent.artifact)
        try GrantName.validate(name)
        let rows = try await pool.query(
            """
            INSERT INTO job_grant (name, owner, artifact, key_arn, role_arn, grantee, operations, encryption_context,
                                   expires_at)
            VALUES (\(name), \(process), \(intent.artifact), \(intent.keyARN), \(intent.roleARN), \(intent.grantee),
                    \(intent.operations), \(try JobJSON(intent.encryptionContext)), now() + \(configuration.readGrantLife))
            ON CONFLICT (name) DO UPDATE
            SET state = 'intended', key_arn = excluded.key_arn, role_arn = excluded.role_arn,
                grantee = excluded.grantee, operations = excluded.operations,
                encryption_context = excluded.encryption_context, expires_at = excluded.expires_at, grant_id = NULL,
                grant_token = NULL, recorded_at = NULL, retired_at = NULL, retire_attempts = 0, last_error = NULL,
                intended_at = now()
            WHERE job_grant.state IN ('retired', 'intended')
            RETURNING \(raw: GrantRecord.columns)
            """)
        guard let row = rows.first else { throw JobError.retriable("The last reading grant is still being retired.") }
        return try GrantRecord(row)
    }

    func recordReading(_ name: String, id: String, token: String?) async throws -> GrantRecord {
        let rows = try await pool.query(
            """
            UPDATE job_grant SET state = 'active', grant_id = \(id), grant_token = \(token), recorded_at = now()
            WHERE name = \(name) AND job IS NULL AND state = 'intended' AND expires_at > now()
            RETURNING \(raw: GrantRecord.columns)
            """)
        guard let row = rows.first else { throw JobError.retriable("The reading grant expired while it was created.") }
        return try GrantRecord(row)
    }

    func extendReading(_ name: String) async throws -> Bool {
        try await pool.execute(
            """
            UPDATE job_grant SET expires_at = now() + \(configuration.readGrantLife)
            WHERE name = \(name) AND job IS NULL AND state = 'active' AND expires_at > now()
            """) == 1
    }

    func expireReadGrant(_ name: String, grantID: String?) async throws {
        try await pool.execute(
            """
            UPDATE job_grant SET state = 'retiring', retire_after = now()
            WHERE name = \(name) AND job IS NULL AND state IN ('intended', 'active')
              AND grant_id IS NOT DISTINCT FROM \(grantID)
            """)
    }
}
