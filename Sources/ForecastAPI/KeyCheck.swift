import AWSClients
import AWSProtocol
import Catalog
import FoundationEssentials
import Jobs
package import Pipelines

/// Asks, at the call, whether the role that a request passes can do with the key what the job will do, so that a missing
/// right answers AccessDeniedException now and not an hour later.
package struct KeyCheck: Sendable {
    private let roles: RoleSessions
    private let defaults: DefaultKeys
    private let callers: CallerMap

    /// - Parameter callers: in which accounts callers' roles are, where roles are not the authority's.
    package init(roles: RoleSessions, defaults: DefaultKeys, callers: CallerMap = CallerMap()) {
        self.roles = roles
        self.defaults = defaults
        self.callers = callers
    }

    /// Assumes the role, describes the key and asks for the grant (DryRun). Nothing to do for default keys.
    func check(
        _ encryption: Resource.Encryption?, for resource: Resource, reading: Bool = false, caller: Caller
    ) async throws {
        guard let encryption else { return }
        let role = try own(encryption.roleARN, caller)
        // Grants on such a key could not be told from those on default keys.
        guard !roles.hasKeysElsewhere || ARN(encryption.keyARN)?.account != roles.principals.account else {
            throw AWSError.invalidInput("KMSKeyArn: a key of account \(roles.principals.account) can't be named.")
        }
        try await Self.asAccess("the key \(encryption.keyARN) with the role \(role)") {
            let kms = try await roles.kms(role: role, purpose(resource, caller))
            let key = try await kms.describeKey(encryption.keyARN)
            guard key.isSymmetric else {
                throw AWSError.invalidInput("KMSKeyArn: must be a symmetric encryption key.")
            }
            guard key.isEnabled else {
                throw AWSError.accessDenied("The key \(encryption.keyARN) can't be used: it is \(key.keyState).")
            }
            let artifact = ArtifactKey(
                resource: resource.arn, incarnation: resource.incarnation, keyARN: encryption.keyARN,
                roleARN: encryption.roleARN)
            let job = JobID(rawValue: resource.job ?? resource.incarnation)
            let terms = GrantTerms(artifact: artifact, use: reading ? .read : .write, account: resource.account)
            let intent = terms.intent(.worker, session: "\(job)", roles)
            try await kms.createGrantDryRun(
                GrantMaker(roles: roles).request(intent, name: GrantName.job(job, artifact: terms.artifactName)))
        }
    }

    /// Assumes a role that is passed for a bucket.
    func checkRole(_ roleARN: String, for resource: Resource, caller: Caller) async throws {
        let role = try own(roleARN, caller)
        try await Self.asAccess("the role \(role)") {
            _ = try await roles.credentials(role: role, purpose(resource, caller))
        }
    }

    /// Whatever KMS or STS has against it, the caller hears that access is denied, and why.
    private static func asAccess(_ what: String, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as AWSError where error.isRetriable || error.code == "InvalidInputException" {
            throw error
        } catch let error as AWSError {
            throw AWSError.accessDenied("Forecast can't use \(what): \(error.message)")
        }
    }

    func defaultKey(of account: String) async throws -> String { try await defaults.keyARN(of: account) }

    private func own(_ roleARN: String, _ caller: Caller) throws -> String {
        guard ARN(roleARN)?.account == callers.account(of: caller.account) else {
            throw AWSError.invalidInput("RoleArn: the role must belong to the account of the caller.")
        }
        return roleARN
    }

    private func purpose(_ resource: Resource, _ caller: Caller) -> RoleSessions.Purpose {
        RoleSessions.Purpose(
            sessionName: "forecast-\((resource.job ?? resource.incarnation).uuidString.lowercased())", sourceARN: resource.arn,
            sourceAccount: resource.account, sourceAddress: caller.sourceAddress, userAgent: caller.userAgent)
    }
}
