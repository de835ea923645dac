import AWSClients
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
        let grant = try await grants.ensure(terms.intent(grantee: roles.principals.worker(session: session))) { record in
            try await maker.create(record, RoleSessions.Purpose(job: job.specification))
        }
        let kms = roles.kms(serviceRole: ServicePrincipals.workerRole, session: session)
        return ArtifactAccess(
            scope: try ArtifactScope(
                account: job.account, resource: artifact.resource, incarnation: artifact.incarnation.uuidString.lowercased()),
            keyARN: artifact.keyARN, kms: kms, grantTokens: grant.token.map { [$0] } ?? [], keeper: environment.keeper)
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
