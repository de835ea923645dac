import AWSClients
import AWSProtocol
import Accounts
import Foundation
import Keys
import Postgres
import Secrets

/// A customer's account with a bucket of its own, and a client of its administrator.
struct Tenant: Sendable {
    let id: String
    let bucket: String
    let client: EnvironmentClient
    /// The administrator and the access key that the client signs with.
    let user: String
    let accessKeyID: String

    /// Of a cluster that is made for a test or a benchmark; the first is the embedded cluster's customer.
    static func accountID(_ number: Int) -> String {
        let digits = String(number)
        return number == 0
            ? EmbeddedCluster.customer : "2" + String(repeating: "0", count: 11 - digits.count) + digits
    }
}

/// Makes accounts with an administrator each, as an operator does with `forecastle admin`.
struct TenantAccounts: Sendable {
    let values: ConfigurationValues
    /// Endpoints and region, as the env file has them.
    let variables: [String: String]

    func make(_ owned: [(id: String, bucket: String)], user: String, pool: PostgresPool) async throws -> [Tenant] {
        let core = try await AuthorityCore.open(
            RoleProcess(name: "tenants", values: values), pool: pool, createRootKey: false)
        let known = Set(try await core.accounts.accounts().map(\.id))
        var tenants: [Tenant] = []
        for (id, bucket) in owned {
            if !known.contains(id) { try await core.accounts.createAccount(id, name: bucket, by: .commandLine) }
            _ = try await core.accounts.createUser(user, account: id, by: .commandLine)
            try await core.accounts.putPolicy(
                "everything", document: Self.everything, of: .user(user), account: id, by: .commandLine)
            let key = try await core.accounts.createAccessKey(user: user, account: id, by: .commandLine)
            tenants.append(
                Tenant(
                    id: id, bucket: bucket, client: try client(key.accessKeyID, key.secretAccessKey.revealed), user: user,
                    accessKeyID: key.accessKeyID))
        }
        try await core.security.note()
        return tenants
    }

    /// A client that signs with other credentials.
    func client(_ id: String, _ secret: String, token: String? = nil, attempts: Int = 4) throws -> EnvironmentClient {
        var variables = variables
        (variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"]) = (id, secret)
        variables["AWS_SESSION_TOKEN"] = token
        return try EnvironmentClient(
            environment: AWSEnvironment(variables), retries: RetryPolicy(attempts: attempts), attemptTimeout: .seconds(30))
    }

    private static let everything = #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#
}

/// The variables of a cluster's env file.
enum EnvironmentFile {
    static func variables(at path: String) throws -> [String: String] {
        var variables: [String: String] = [:]
        for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
            guard line.hasPrefix("export "), let equals = line.firstIndex(of: "=") else { continue }
            let name = String(line[line.index(line.startIndex, offsetBy: 7)..<equals])
            variables[name] = line[line.index(after: equals)...].trimmingCharacters(in: ["'"])
        }
        return variables
    }
}

extension Tenant {
    /// A role that trusts Forecast and may use the bucket, and a key with the documents' example policy for it.
    func access(_ role: String) async throws -> DemoCustomer.Access {
        try await makeRole(role)
        let arn = "arn:aws:iam::\(id):role/\(role)"
        let made = try await client.call(
            .kms, "CreateKey", ["Policy": .string(customer.keyPolicy(arn).serializedString), "Description": .string(role)])
        guard let key = made["KeyMetadata"]?["Arn"]?.stringValue else {
            throw ChildProcess.Failure(description: "CreateKey gave no ARN")
        }
        return DemoCustomer.Access(role: arn, key: key)
    }

    /// Takes the administrator's access key away, with itself. What is still to be done needs another.
    func leave() async throws {
        _ = try await client.query("iam", "DeleteAccessKey", ["UserName": user, "AccessKeyId": accessKeyID])
    }

    func makeRole(_ name: String) async throws {
        _ = try await client.query(
            "iam", "CreateRole", ["RoleName": name, "AssumeRolePolicyDocument": customer.trustPolicy.serializedString])
        _ = try await client.query(
            "iam", "PutRolePolicy",
            ["RoleName": name, "PolicyName": "bucket", "PolicyDocument": customer.bucketPolicy.serializedString])
    }

    /// The documents' policies for this account; of its folder nothing is used.
    var customer: DemoCustomer {
        DemoCustomer(client: client, account: id, folder: DataFolder("/"), ownBucket: bucket)
    }

    /// A dataset of daily values under the key; gives its ARN.
    func dataset(_ name: String, _ access: DemoCustomer.Access) async throws -> String {
        try await arn(
            "CreateDataset", "DatasetArn",
            [
                "DatasetName": .string(name), "Domain": "CUSTOM", "DatasetType": "TARGET_TIME_SERIES", "DataFrequency": "D",
                "Schema": [
                    "Attributes": [
                        ["AttributeName": "item_id", "AttributeType": "string"],
                        ["AttributeName": "timestamp", "AttributeType": "timestamp"],
                        ["AttributeName": "target_value", "AttributeType": "float"],
                    ]
                ],
                "EncryptionConfig": access.configuration,
            ])
    }

    func importJob(_ name: String, dataset: String, file: String, _ access: DemoCustomer.Access) async throws -> String {
        try await arn(
            "CreateDatasetImportJob", "DatasetImportJobArn", importRequest(name, dataset: dataset, file: file, access))
    }

    func importRequest(_ name: String, dataset: String, file: String, _ access: DemoCustomer.Access) -> JSONObject {
        [
            "DatasetImportJobName": .string(name), "DatasetArn": .string(dataset), "TimestampFormat": "yyyy-MM-dd HH:mm:ss",
            "DataSource": ["S3Config": ["Path": .string("s3://\(bucket)/\(file)"), "RoleArn": .string(access.role)]],
        ]
    }

    func arn(_ operation: String, _ member: String, _ body: JSONObject) async throws -> String {
        guard let arn = try await client.call(.forecast, operation, body)[member]?.stringValue else {
            throw ChildProcess.Failure(description: "\(operation) gave no \(member)")
        }
        return arn
    }
}
