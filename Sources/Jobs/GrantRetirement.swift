import FoundationEssentials
import Logging
import Postgres

/// Retires the grants of a job that is retiring, failing or stopping.
struct GrantRetirement: Sendable {
    let store: JobStore
    let retirer: any GrantRetirer
    let lister: any GrantLister
    let logger: Logger

    struct State: Sendable {
        let unretired: Int
        let deadlinePassed: Bool
    }

    /// A bound on the pages of one listing: twice what a key may have in grants, at the smallest page.
    static let pagesMax = 100_000

    static func leftMessage(_ number: Int) -> String {
        number == 1
            ? "A grant of this job could not be retired and is left; retiring it goes on."
            : "\(number) grants of this job could not be retired and are left; retiring them goes on."
    }

    /// Retires what is recorded, then looks for what was created without a record.
    func retireAll(of job: JobRecord, trustsSpecification: Bool) async throws {
        try await retireRecorded(of: job, trustsSpecification: trustsSpecification)
        try await retireUnrecorded(of: job)
    }

    func retireRecorded(of job: JobRecord, trustsSpecification: Bool) async throws {
        let grants = try await unretired(of: job.id).filter { $0.grantID != nil }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for grant in grants {
                guard let id = grant.grantID else { continue }
                group.addTask {
                    try await retire(
                        GrantToRetire(
                            name: grant.name, keyARN: grant.intent.keyARN, grantID: id, token: grant.token,
                            roleARN: trustsSpecification ? grant.intent.roleARN : nil, job: job.specification),
                        recordedID: id)
                }
            }
            try await group.waitForAll()
        }
    }

    /// Only once no other lease of the job runs: until then a CreateGrant may still be under way.
    ///
    /// A listing that fails leaves the rows as they are: it must not keep the job from its end at the deadline.
    func retireUnrecorded(of job: JobRecord) async throws {
        do {
            try await findAndRetireUnrecorded(of: job)
        } catch let error as JobError where error.isRetriable {
            logger.warning(
                "Grants of a job could not be listed",
                metadata: ["job": "\(job.id)", "error": "\(error)", "cause": "\(String(describing: error.cause))"])
        }
    }

    private func findAndRetireUnrecorded(of job: JobRecord) async throws {
        let open = try await unretired(of: job.id).filter { $0.grantID == nil }
        guard !open.isEmpty else { return }
        let names = Set(open.map(\.name))
        var failedNames: Set<String> = []
        try await eachListed { grant in
            guard names.contains(grant.name) else { return }
            let outcome = await retirer.retire(
                GrantToRetire(
                    name: grant.name, keyARN: grant.keyARN, grantID: grant.grantID, token: nil, roleARN: nil,
                    job: job.specification))
            switch outcome {
            case .retired, .notFound: break
            case .denied, .unreachable:
                failedNames.insert(grant.name)
                try await store.recordRetirement(grant.name, grantID: nil, outcome)
            }
        }
        for name in names.subtracting(failedNames) {
            try await store.recordRetirement(name, grantID: nil, .notFound)
        }
    }

    func eachListed(_ body: (ListedGrant) async throws -> Void) async throws {
        var marker: String?
        for _ in 0..<Self.pagesMax {
            let page: (grants: [ListedGrant], next: String?)
            do {
                page = try await lister.retirableGrants(after: marker)
            } catch {
                throw JobError.retriable("The grants could not be listed.", cause: error)
            }
            for grant in page.grants { try await body(grant) }
            guard let next = page.next else { return }
            marker = next
        }
        throw JobError.retriable("The list of grants does not end.")
    }

    func state(of job: JobID) async throws -> State {
        let rows = try await store.pool.query(
            """
            SELECT (SELECT count(*) FROM job_grant WHERE job = \(job) AND state <> 'retired') AS unretired,
                   coalesce(retiring_at, ending_at) + \(store.configuration.grantPeriod) <= now() AS deadline_passed
            FROM job WHERE id = \(job)
            """)
        guard let row = rows.first else { throw JobError(.unknownJob, "There is no such job.") }
        return State(
            unretired: try row.get("unretired"),
            deadlinePassed: try row.get("deadline_passed", as: Bool?.self) ?? false)
    }

    private func unretired(of job: JobID) async throws -> [GrantRecord] {
        try await store.grants(of: job).filter { $0.state == .retiring || $0.state == .left }
    }

    private func retire(_ grant: GrantToRetire, recordedID: String) async throws {
        let outcome = await retirer.retire(grant)
        switch outcome {
        case .retired, .notFound: break
        case .denied(let why), .unreachable(let why):
            logger.warning("A grant could not be retired", metadata: ["grant": "\(grant.name)", "error": "\(why)"])
        }
        try await store.recordRetirement(grant.name, grantID: recordedID, outcome)
    }
}
