import AWSProtocol
import Foundation

/// What a customer has before the first job: a bucket, two roles that trust Forecast, two keys of its own.
struct DemoCustomer: Sendable {
    static let bucket = "demo"

    struct Access: Sendable {
        var role: String
        var key: String

        var configuration: JSONValue { ["RoleArn": .string(role), "KMSKeyArn": .string(key)] }
    }

    let client: EnvironmentClient
    let account: String
    /// Folder and configuration of the cluster: roles are made with `forecastle admin`, as its operator would.
    let folder: DataFolder
    /// Where it is not the folder's.
    var configuration: String?
    /// The bucket that its roles may use.
    var ownBucket = DemoCustomer.bucket

    /// A role that trusts Forecast and may use the bucket, and a key with the documents' example policy for it.
    func access(_ name: String) async throws -> Access {
        let role = "arn:aws:iam::\(account):role/\(name)"
        try await makeRole(name)
        let answer = try await client.call(
            .kms, "CreateKey", ["Policy": .string(keyPolicy(role).serializedString), "Description": .string("Demo: \(name)")])
        guard let key = answer["KeyMetadata"]?["Arn"]?.stringValue else {
            throw DemoFailure(description: "CreateKey gave no ARN")
        }
        return Access(role: role, key: key)
    }

    private func makeRole(_ name: String) async throws {
        let documents = folder.path + "/demo"
        try FileManager.default.createDirectory(atPath: documents, withIntermediateDirectories: true)
        let trust = "\(documents)/\(name).trust.json"
        let policy = "\(documents)/\(name).policy.json"
        try folder.write(trustPolicy.serializedString, to: trust)
        try folder.write(bucketPolicy.serializedString, to: policy)
        try await admin("role", "create", name, "--account", account, "--trust", trust)
        try await admin("policy", "put", "bucket", "--account", account, "--role", name, "--document", policy)
    }

    func admin(_ arguments: String...) async throws {
        let child = try await ChildProcess.start(
            name: "admin", executable: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
            arguments: ["admin"] + arguments + ["--config", configuration ?? folder.configuration],
            environment: ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("AWS_") }, log: folder.log("demo-admin"))
        let status = await child.wait()
        guard status == 0 else {
            throw DemoFailure(
                description: "forecastle admin \(arguments.prefix(2).joined(separator: " ")) "
                    + "\(ChildProcess.describe(status)); its log: \(folder.log("demo-admin"))")
        }
    }

    var trustPolicy: JSONValue {
        [
            "Version": "2012-10-17",
            "Statement": [
                [
                    "Effect": "Allow", "Principal": ["Service": "forecast.amazonaws.com"], "Action": "sts:AssumeRole",
                    "Condition": [
                        "StringEquals": ["aws:SourceAccount": .string(account)],
                        "ArnLike": ["aws:SourceArn": .string("arn:aws:forecast:\(client.region):\(account):*")],
                    ],
                ]
            ],
        ]
    }

    var bucketPolicy: JSONValue {
        [
            "Version": "2012-10-17",
            "Statement": [
                [
                    "Effect": "Allow", "Action": ["s3:Get*", "s3:List*", "s3:PutObject"],
                    "Resource": [
                        .string("arn:aws:s3:::\(ownBucket)"), .string("arn:aws:s3:::\(ownBucket)/*"),
                    ],
                ]
            ],
        ]
    }

    /// The example of Amazon Forecast's documents, quotes and braces mended, placeholders filled.
    func keyPolicy(_ role: String) -> JSONValue {
        [
            "Version": "2012-10-17",
            "Statement": [
                [
                    "Sid": "Allow access to principals authorized to use Amazon Forecast", "Effect": "Allow",
                    "Principal": ["AWS": .string(role)],
                    "Action": ["kms:DescribeKey", "kms:CreateGrant", "kms:RetireGrant"], "Resource": "*",
                    "Condition": [
                        "StringEquals": [
                            "kms:ViaService": .string("forecast.\(client.region).amazonaws.com"),
                            "kms:CallerAccount": .string(account),
                        ]
                    ],
                ],
                [
                    "Sid": "Allow access for key administrators", "Effect": "Allow",
                    "Principal": ["AWS": .string("arn:aws:iam::\(account):root")], "Action": ["kms:*"], "Resource": "*",
                ],
            ],
        ]
    }
}
