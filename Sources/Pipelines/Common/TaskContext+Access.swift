import AWSClients
import AWSProtocol
import Artifacts
import EnvelopeKMS
import FoundationEssentials
import Jobs

extension TaskContext {
    /// The right to one artifact under the job's grant on it; the grant is made by whichever task comes first, the plan.
    func access(_ artifact: ArtifactKey, _ use: GrantTerms.Use, _ environment: PipelineEnvironment) async throws -> ArtifactAccess
    {
        let terms = GrantTerms(artifact: artifact, use: use, account: job.account)
        let session = "\(job.id)"
        let roles = environment.roles
        let maker = GrantMaker(roles: roles)
        let grant = try await grants.ensure(terms.intent(.worker, session: session, roles)) { record in
            do {
                return try await maker.create(record, RoleSessions.Purpose(job: job.specification))
            } catch let error as AWSError where KeyRefusal(error) != nil {
                // Cut from behind where ARNs are long: what was refused comes first, by whom and to whom last.
                let role = artifact.roleARN.map { " through the role \($0)" } ?? ""
                throw JobError.final(
                    "No grant on the key \(artifact.keyARN) of \(artifact.resource) could be made\(role): \(error)", cause: error)
            }
        }
        let kms = roles.kms(.worker, session: session, at: roles.place(roleARN: artifact.roleARN))
        return ArtifactAccess(
            scope: try ArtifactScope(
                account: job.account, resource: artifact.resource, incarnation: artifact.incarnation.uuidString.lowercased()),
            keyARN: artifact.keyARN, roleARN: artifact.roleARN, kms: kms, grantTokens: grant.token.map { [$0] } ?? [],
            keeper: environment.keeper)
    }

    /// Opens the manifest of an artifact that the job reads.
    func open(_ input: ArtifactInput, _ access: ArtifactAccess, _ environment: PipelineEnvironment) async throws -> ArtifactReader
    {
        try await ArtifactReader.open(try input.reference, store: environment.artifacts, access: access)
    }

    func writer(_ access: ArtifactAccess, _ environment: PipelineEnvironment) -> ArtifactWriter {
        ArtifactWriter(
            store: environment.artifacts, access: access, attempt: attempt(), frameBytes: environment.sizes.frameBytes)
    }

    func attempt() -> ArtifactAttempt {
        ArtifactAttempt(job: "\(job.id)", task: "\(task)", fence: fence.rawValue)
    }
}
