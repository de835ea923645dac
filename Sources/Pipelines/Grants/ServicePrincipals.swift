/// The principals of the service account that appear in grants and sessions.
package struct ServicePrincipals: Sendable, Hashable {
    package var region: String
    /// Twelve digits.
    package var account: String

    package init(region: String, account: String) {
        self.region = region
        self.account = account
    }

    package static let workerRole = "forecastle-worker"
    package static let apiRole = "forecastle-api"
    package static let sweeperRole = "forecastle-sweeper"

    package func roleARN(_ name: String) -> String { "arn:aws:iam::\(account):role/\(name)" }

    /// Grantee of a job's grants: the session of that job alone.
    package func worker(session: String) -> String { "arn:aws:sts::\(account):assumed-role/\(Self.workerRole)/\(session)" }

    /// Grantee of reading grants: the session of one API process.
    package func api(session: String) -> String { "arn:aws:sts::\(account):assumed-role/\(Self.apiRole)/\(session)" }

    /// May retire every grant, and nothing else.
    package var retiringPrincipal: String { roleARN(Self.sweeperRole) }

    /// Where the default key of a customer's account is found.
    package func defaultKeyAlias(of customer: String) -> String {
        "arn:aws:kms:\(region):\(account):alias/forecastle/default/\(customer)"
    }
}
