import Freshness
package import Policies
import Postgres

/// Whose policies are kept: one credential of one user, or of one session.
package struct KnownPolicyHolder: Hashable, Sendable {
    let accessKeyID: String
    let userID: String
}

extension AccountsStore {
    package static let maximumKnownPolicies = 4096

    /// As `policies(of:on:)`, from the cache where it may be believed; otherwise over a connection of its own.
    package func knownPolicies(of principal: Principal) async throws -> SubjectPolicies {
        let holder = KnownPolicyHolder(accessKeyID: principal.accessKeyID, userID: principal.userID)
        if let known = knownPolicyCache.value(holder) { return known }
        return try await pool.withConnection { connection in
            let versions = try await connection.securityVersions(of: [.account(principal.account), .everything])
            let policies = try await self.policies(of: principal, on: connection)
            knownPolicyCache.keep(policies, for: holder, under: versions)
            return policies
        }
    }
}
