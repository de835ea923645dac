import AWSProtocol
import Policies

/// Who the authority's accounts and principals are at the server where customers' keys and roles live.
///
/// JSON, every member optional:
/// ```
/// {"accounts":   {"123456789012": {"account": "444455556666", "simulator": "arn:aws:iam::444455556666:role/simulator"}},
///  "principals": {"arn:aws:iam::123456789012:user/alice": "arn:aws:iam::444455556666:user/alice"},
///  "policies":   {"arn:aws:iam::123456789012:user/alice": {"Statement": {…}}}}
/// ```
/// `accounts`: the account there (without an entry: the same number) and a role there that may simulate policies.
/// `principals`: for `simulate`. `policies`: for `map`; the names are those of callers of the authority and of roles that are
/// passed. A session counts as its role.
package struct CallerMap: Sendable {
    struct Account: Sendable {
        var account: String
        var simulator: String?
    }

    package static let entriesMax = 100_000
    private static let limits = JSONLimits(entries: entriesMax, bytes: 8 << 20)

    private var accounts: [String: Account] = [:]
    private var principals: [String: String] = [:]
    private var policies: [String: PolicyDocument] = [:]

    package init() {}

    /// Throws an error that names the member which can't be used.
    package init(json bytes: [UInt8]) throws {
        let root = try JSONObject.parseBody(bytes, limits: Self.limits)
        for member in root.keys where !["accounts", "principals", "policies"].contains(member) {
            throw AWSError.validation("\(member): is no member of this file")
        }
        for (id, value) in try root.optionalObject("accounts") ?? [:] {
            guard let entry = value.objectValue, ARN.isAccountID(id) else {
                throw AWSError.validation("accounts: must be structures by account id")
            }
            let account = try entry.optionalString("account") ?? id
            let simulator = try entry.optionalString("simulator")
            guard ARN.isAccountID(account), simulator.map({ ARN($0)?.resourceType == "role" }) ?? true else {
                throw AWSError.validation("accounts.\(id): account must have 12 digits and simulator be a role's ARN")
            }
            accounts[id] = Account(account: account, simulator: simulator)
        }
        for (name, value) in try root.optionalObject("principals") ?? [:] {
            guard let arn = value.stringValue, ARN(arn)?.service == "iam", ARN(name)?.service == "iam" else {
                throw AWSError.validation("principals: must be ARNs of users or roles")
            }
            principals[name] = arn
        }
        for (name, value) in try root.optionalObject("policies") ?? [:] {
            guard ARN(name)?.service == "iam" else {
                throw AWSError.validation("policies: must be named by ARNs of users or roles")
            }
            do {
                policies[name] = try PolicyDocument.parse(value, kind: .identity)
            } catch {
                throw AWSError.validation("policies.\(name): \(error)")
            }
        }
    }

    /// The account in which a caller's keys and roles are.
    package func account(of caller: String) -> String { accounts[caller]?.account ?? caller }

    func simulator(of account: String) -> String? { accounts[account]?.simulator }

    func principal(of name: String) -> String? { principals[Self.identity(name)] }

    func policy(of name: String) -> PolicyDocument? { policies[Self.identity(name)] }

    /// `arn:aws:iam::1:role/R` of `arn:aws:sts::1:assumed-role/R/session`; of anything else itself.
    static func identity(_ name: String) -> String {
        guard let arn = ARN(name), arn.service == "sts", arn.resourceType == "assumed-role" else { return name }
        let role = arn.resourceName.split(separator: "/").first.map(String.init) ?? ""
        return ARN(partition: arn.partition, service: "iam", region: "", account: arn.account, resource: "role/\(role)")
            .description
    }
}
