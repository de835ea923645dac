package import AWSClients
import AWSProtocol
package import Jobs

/// Creates grants as their intents say: with the customer's role, or by the service itself on a default key.
package struct GrantMaker: Sendable {
    private let roles: RoleSessions

    package init(roles: RoleSessions) {
        self.roles = roles
    }

    package func create(
        _ record: GrantRecord, _ purpose: RoleSessions.Purpose
    ) async throws -> (grantID: String, token: String?) {
        try await create(record.intent, name: record.name, purpose)
    }

    package func create(
        _ intent: GrantIntent, name: String, _ purpose: RoleSessions.Purpose
    ) async throws -> (grantID: String, token: String?) {
        let request = request(intent, name: name)
        guard let role = intent.roleARN else { return try await create(request, by: roles.ownKMS) }
        do {
            return try await create(request, by: try await roles.kms(role: role, purpose))
        } catch let error as AWSError where RoleSessions.isGone(error) {
            roles.forget(role: role, purpose)
            return try await create(request, by: try await roles.kms(role: role, purpose))
        }
    }

    private func create(_ request: CreateGrantRequest, by kms: KMSClient) async throws -> (grantID: String, token: String?) {
        let grant = try await kms.createGrant(request)
        return (grant.grantID, grant.grantToken)
    }

    package func request(_ intent: GrantIntent, name: String) -> CreateGrantRequest {
        CreateGrantRequest(
            keyID: intent.keyARN, granteePrincipal: intent.grantee,
            retiringPrincipal: roles.principals(at: roles.place(roleARN: intent.roleARN)).retiringPrincipal,
            operations: intent.operations, contextSubset: intent.encryptionContext, name: name)
    }
}

extension RoleSessions.Purpose {
    /// What a job assumes roles for.
    package init(job: JobSpecification) {
        self.init(
            sessionName: "forecast-\(job.job)", sourceARN: job.resourceARN, sourceAccount: job.account,
            sourceAddress: job.sourceAddress, userAgent: job.userAgent)
    }
}
