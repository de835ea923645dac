import AWSProtocol
import Catalog
import FoundationEssentials
import Jobs
import Pipelines
import Postgres

extension ForecastService {
    /// Throws ResourceAlreadyExistsException where the name is taken. To be asked before anything else is checked: a client
    /// whose answer was lost asks again, and must hear so whatever became of what the resource is made from.
    ///
    /// - Parameter arn: of the caller's account, so that it says nothing of any other.
    func requireFree(_ type: ResourceType, _ arn: String) async throws {
        guard try await catalog.find(arn) == nil else { throw Self.alreadyExists(type, arn) }
    }

    /// The ARN of an AutoPredictor has a suffix of its own, so its name is looked for apart.
    func requireFreeName(ofPredictor name: String, account: String) async throws {
        if let taken = try await catalog.find(named: name, type: .predictor, account: account) {
            throw Self.alreadyExists(.predictor, taken.arn)
        }
    }

    private static func alreadyExists(_ type: ResourceType, _ arn: String) -> AWSError {
        .resourceAlreadyExists("A \(type.rawValue) already exists with the arn: \(arn)")
    }

    /// Inserts a resource that no job makes.
    func insert(_ resource: Resource) async throws {
        try await pool.transaction { connection in try await insert(resource, on: connection) }
    }

    func insert(_ resource: Resource, on connection: PostgresConnection) async throws {
        if resource.type == .predictor,
            let taken = try await Catalog.lock(name: resource.name, type: .predictor, account: resource.account, on: connection)
        {
            throw Self.alreadyExists(.predictor, taken.arn)
        }
        do {
            try await Catalog.insert(resource, on: connection)
        } catch let error as CatalogError where error.code == .alreadyExists {
            throw Self.alreadyExists(resource.type, resource.arn)
        }
    }

    /// The key that a new artifact will lie under, after the role proved that it can use it.
    func outputKey(of resource: Resource, caller: Caller) async throws -> ArtifactKey {
        try await keys.check(resource.encryption, for: resource, caller: caller)
        return ArtifactKey(
            resource: resource.arn, incarnation: resource.incarnation, keyARN: try await keyARN(of: resource),
            roleARN: resource.encryption?.roleARN)
    }

    /// The artifact of an ACTIVE resource; nil where it has none.
    func artifact(of resource: Resource) async throws -> ArtifactInput? {
        resource.artifact(keyARN: try await keyARN(of: resource))
    }

    private func keyARN(of resource: Resource) async throws -> String {
        if let encryption = resource.encryption { return encryption.keyARN }
        return try await keys.defaultKey(of: resource.account)
    }

    /// Resource, job, first task and doorbell in one transaction. The parent is locked and must still be ACTIVE.
    func accept(_ resource: Resource, kind: JobKind, document: some Encodable & Sendable, caller: Caller) async throws {
        guard !isFull() else { throw AWSError.serviceUnavailable() }
        guard let job = resource.job else { preconditionFailure("a resource that a job makes has the job's id") }
        let specification = JobSpecification(
            job: JobID(rawValue: job), kind: kind, account: resource.account, resourceARN: resource.arn,
            incarnation: resource.incarnation, sourceAddress: caller.sourceAddress, userAgent: caller.userAgent,
            document: Array(try JobJSON(document).text.utf8))
        let submission = try JobSubmission(specification, signedBy: signer)
        try await engine.accept(submission) { connection in
            if let parent = resource.parentARN {
                guard let locked = try await Catalog.lock(parent, on: connection) else {
                    throw AWSError.resourceNotFound(parent)
                }
                // Whoever made it busy since the first look may have been this same request.
                if locked.status != .active, try await Catalog.find(resource.arn, on: connection) != nil {
                    throw Self.alreadyExists(resource.type, resource.arn)
                }
                try locked.requireActive("for \(resource.arn) to be made from it")
            }
            try await insert(resource, on: connection)
        }
    }
}
