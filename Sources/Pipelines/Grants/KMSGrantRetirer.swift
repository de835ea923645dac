import AWSClients
import AWSProtocol
import Artifacts
package import Jobs

/// Retires grants at KMS: with the role's session first, as in the documented event; on a denial, or where role or trust is
/// gone, at once by the retiring principal. Also lists what the retiring principal could retire.
package struct KMSGrantRetirer: GrantRetirer, GrantLister {
    private static let pageSize = 100

    private let roles: RoleSessions
    private let process: String

    /// - Parameter process: names this process in the sweeper's sessions.
    package init(roles: RoleSessions, process: String) {
        self.roles = roles
        self.process = process
    }

    package func retire(_ grant: GrantToRetire) async -> RetireOutcome {
        if let role = grant.roleARN, let job = grant.job {
            let outcome = await retire(grant) { try await roles.kms(role: role, .init(job: job)) }
            guard case .denied = outcome else { return outcome }
        }
        return await retire(grant) { sweeper }
    }

    package func retirableGrants(after marker: String?) async throws -> (grants: [ListedGrant], next: String?) {
        let page = try await sweeper.listRetirableGrants(
            retiringPrincipal: roles.principals.retiringPrincipal, limit: Self.pageSize, marker: marker)
        let grants = page.grants.compactMap { grant in
            grant.name.map { ListedGrant(name: $0, grantID: grant.grantID, keyARN: grant.keyID) }
        }
        return (grants, page.nextMarker)
    }

    private var sweeper: KMSClient { roles.kms(serviceRole: ServicePrincipals.sweeperRole, session: process) }

    private func retire(_ grant: GrantToRetire, with kms: () async throws -> KMSClient) async -> RetireOutcome {
        do {
            try await kms().retireGrant(keyID: grant.keyARN, grantID: grant.grantID)
            return .retired
        } catch let error as AWSError where error.code == "NotFoundException" || error.code == "InvalidGrantIdException" {
            return .notFound
        } catch let error as AWSError where KeyRefusal(error) != nil {
            return .denied(error.message)
        } catch {
            return .unreachable("\(error)")
        }
    }
}
