package import AWSProtocol

/// The service's own place among the accounts: who its processes are and under which names they act.
package struct ServiceIdentity: Sendable, Hashable {
    /// The account that owns the service's users, roles and default keys.
    package let account: String
    package let region: String

    package init(account: String = "999999999999", region: String) {
        self.account = account
        self.region = region
    }

    package static let apiUser = "forecastle-api"
    package static let workerUser = "forecastle-worker"
    package static let operatorUser = "forecastle-operator"
    package static let apiRole = "forecastle-api"
    package static let workerRole = "forecastle-worker"
    package static let sweeperRole = "forecastle-sweeper"

    /// The name in trust policies, `iam:PassedToService` and the trail.
    package var servicePrincipal: String { "forecast.amazonaws.com" }
    /// `kms:ViaService` of what the service does for a caller.
    package var viaService: String { "forecast.\(region).amazonaws.com" }

    package func userARN(_ name: String) -> ARN { ARN(service: "iam", region: "", account: account, resource: "user/\(name)") }
    package func roleARN(_ name: String) -> ARN { ARN(service: "iam", region: "", account: account, resource: "role/\(name)") }

    /// Whether the principal may act as the service principal when it assumes roles: the users of api and worker.
    package func actsAsService(_ principal: Principal) -> Bool {
        principal.account == account && [Self.apiUser, Self.workerUser].contains(principal.userName)
    }

    /// Whether the principal may ask `Authorize`: the user of the api alone.
    package func mayAuthorize(_ principal: Principal) -> Bool {
        principal.account == account && principal.userName == Self.apiUser
    }

    /// Whether the principal is one of the service's own, which the trail shows under the service's name: its users and the
    /// sessions of its roles. A person of the service account (the operator) is none.
    package func isOwn(_ principal: Principal) -> Bool {
        guard principal.account == account else { return false }
        switch principal.kind {
        case .root: return false
        case .user(let user): return [Self.apiUser, Self.workerUser].contains(user.name)
        case .assumedRole(let session):
            return [Self.apiRole, Self.workerRole, Self.sweeperRole].contains(session.roleARN.baseName)
        }
    }

    /// Whether a role is one of the service's own, whose sessions act as the service.
    package func isOwnRole(_ arn: ARN) -> Bool {
        [Self.apiRole, Self.workerRole, Self.sweeperRole].contains { roleARN($0) == arn }
    }

    /// Whether an ARN names one of the service's own principals, for members such as `granteePrincipal`, where the trail shows
    /// `AWS Internal`.
    package func isOwn(_ arn: ARN) -> Bool { arn.account == account && (arn.service == "iam" || arn.service == "sts") }
}
