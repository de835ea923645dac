import Postgres

/// The grants of the job that a task belongs to.
///
/// CreateGrant is a remote call, so the intent is stored first, the grant is created with the intent's name as its
/// Name, and its id is recorded under the fence. A crash anywhere in between leaves a name by which it is found.
package struct JobGrants: Sendable {
    let claimed: ClaimedTask
    let store: JobStore
    let faults: FaultPoints

    package init(claimed: ClaimedTask, store: JobStore, faults: FaultPoints) {
        self.claimed = claimed
        self.store = store
        self.faults = faults
    }

    /// A job with more is refused.
    package static let grantsMax = 64

    /// Intends, creates and records a grant; an earlier attempt's recorded one is returned as it is.
    ///
    /// - Parameter create: calls CreateGrant with the record's `name` as Name and answers id and token. Called again
    ///   after a crash, the same Name and parameters give the same grant.
    package func ensure(
        _ intent: GrantIntent,
        create: (GrantRecord) async throws -> (grantID: String, token: String?)
    ) async throws -> GrantRecord {
        try claimed.lease.check()
        let names = Set(try await all().map(\.name))
        guard names.count < Self.grantsMax || names.contains(GrantName.job(claimed.job.id, artifact: intent.artifact))
        else { throw JobError.final("The job would take more than \(Self.grantsMax) grants.") }
        let intended = try await store.intend(intent, by: claimed)
        if intended.grantID != nil { return intended }
        try await faults.reach(.grantIntended)
        let (grantID, token) = try await create(intended)
        try await faults.reach(.grantCreated)
        try await store.recordGrant(intended.name, id: grantID, token: token, by: claimed)
        JobMetrics.grantCreated()
        try await faults.reach(.grantRecorded)
        return intended.recorded(id: grantID, token: token)
    }

    /// All grants of the job, for tasks that use what the plan created.
    package func all() async throws -> [GrantRecord] {
        try await store.grants(of: claimed.job.id)
    }
}

extension GrantRecord {
    func recorded(id: String, token: String?) -> GrantRecord {
        GrantRecord(
            name: name, job: job, owner: owner, intent: intent, state: .active, grantID: id, token: token,
            expiresAt: expiresAt, lastError: nil, intendedAt: intendedAt, recordedAt: recordedAt, retiredAt: nil)
    }
}
