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
        let intent = record.intent
        let request = request(intent, name: record.name)
        let kms =
            if let role = intent.roleARN { try await roles.kms(role: role, purpose) } else { roles.ownKMS }
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
