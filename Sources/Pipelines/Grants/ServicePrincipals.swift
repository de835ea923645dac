package import AWSProtocol

/// The service's principals at one server of keys: those that appear in grants and sessions there.
package struct ServicePrincipals: Sendable, Hashable {
    /// A role that processes of the service act as. Raw values are the names of the authority's roles.
    package enum Role: String, Sendable, Hashable, CaseIterable {
        /// Grantee of jobs, each in a session of its own.
        case worker = "forecastle-worker"
        /// Grantee of reading, in one session a process.
        case reader = "forecastle-api"
        /// May retire every grant, and nothing else.
        case sweeper = "forecastle-sweeper"
    }

    package var region: String
    /// Twelve digits.
    package var account: String
    private var roles: [Role: ARN]

    /// The authority's own.
    package init(region: String, account: String) {
        self.region = region
        self.account = account
        roles = Dictionary(
            uniqueKeysWithValues: Role.allCases.map { role in
                (role, ARN(service: "iam", region: "", account: account, resource: "role/\(role.rawValue)"))
            })
    }

    /// Roles of the service's account elsewhere, by ARN.
    package init(region: String, worker: ARN, reader: ARN, sweeper: ARN) {
        self.region = region
        account = worker.account
        roles = [.worker: worker, .reader: reader, .sweeper: sweeper]
    }

    package func roleARN(_ role: Role) -> String { arn(role).description }

    /// The principal that a session of the role is, which a grant names.
    package func grantee(_ role: Role, session: String) -> String {
        let role = arn(role)
        return ARN(
            partition: role.partition, service: "sts", region: "", account: role.account,
            resource: "assumed-role/\(role.baseName)/\(session)"
        ).description
    }

    /// Named in every grant, so that it can be retired whatever becomes of the customer's role.
    package var retiringPrincipal: String { roleARN(.sweeper) }

    /// Where the default key of a customer's account is found: at the authority only.
    package func defaultKeyAlias(of customer: String) -> String {
        "arn:aws:kms:\(region):\(account):alias/forecastle/default/\(customer)"
    }

    private func arn(_ role: Role) -> ARN {
        guard let arn = roles[role] else { preconditionFailure("both initialisers name every role") }
        return arn
    }
}
