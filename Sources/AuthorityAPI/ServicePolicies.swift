import AWSProtocol
import Accounts

/// The policies of the service's own users and roles: each may do what its process does and nothing more.
///
/// Grants on customers' keys and the policies of default keys do the rest; across accounts a grant is of no use without the
/// identity policy here.
enum ServicePolicies {
    static let policyName = "forecastle"

    struct Role {
        let name: String
        let description: String
        let trustPolicy: String
        let policy: String
    }

    static let administrator = policy([statement(["*"])])

    static func users(_ identity: ServiceIdentity) -> [(name: String, policy: String)] {
        let assume = { (roles: [String]) in
            statement(["sts:AssumeRole"], on: roles.map { identity.roleARN($0).description })
        }
        // Customers' roles are assumed as the service, by their trust alone; making grants on default keys is allowed by their policies.
        return [
            (ServiceIdentity.apiUser, policy([assume([ServiceIdentity.apiRole, ServiceIdentity.sweeperRole])])),
            (ServiceIdentity.workerUser, policy([assume([ServiceIdentity.workerRole, ServiceIdentity.sweeperRole])])),
            (
                ServiceIdentity.operatorUser,
                policy([
                    statement([
                        "kms:DescribeKey", "kms:EnableKey", "kms:DisableKey", "kms:GetKeyPolicy", "kms:ListAliases",
                        "kms:ListGrants", "kms:ListKeys", "kms:RevokeGrant", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion",
                        "cloudtrail:LookupEvents",
                    ])
                ])
            ),
        ]
    }

    static func roles(_ identity: ServiceIdentity) -> [Role] {
        let api = identity.userARN(ServiceIdentity.apiUser).description
        let worker = identity.userARN(ServiceIdentity.workerUser).description
        return [
            Role(
                name: ServiceIdentity.apiRole, description: "Reads artifacts for requests, under grants",
                trustPolicy: trust([api]),
                policy: policy([statement(["kms:Decrypt"])])),
            Role(
                name: ServiceIdentity.workerRole, description: "Reads and writes artifacts of jobs, under grants",
                trustPolicy: trust([worker]), policy: policy([statement(["kms:Decrypt", "kms:GenerateDataKey"])])),
            Role(
                name: ServiceIdentity.sweeperRole, description: "Retires grants that are left",
                trustPolicy: trust([api, worker]),
                policy: policy([statement(["kms:RetireGrant", "kms:ListRetirableGrants"])])),
        ]
    }

    private static func statement(_ actions: [String], on resources: [String] = ["*"]) -> JSONValue {
        ["Effect": "Allow", "Action": .strings(actions), "Resource": .strings(resources)]
    }

    private static func trust(_ principals: [String]) -> String {
        policy([["Effect": "Allow", "Principal": ["AWS": .strings(principals)], "Action": "sts:AssumeRole"]])
    }

    private static func policy(_ statements: [JSONValue]) -> String {
        let document: JSONValue = ["Version": "2012-10-17", "Statement": .array(statements)]
        return document.serializedString
    }
}
