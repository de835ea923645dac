import AWSProtocol
import Pipelines

/// `S3Config` of a data source or destination.
struct S3ConfigInput: Sendable {
    var location: BucketLocation

    init(in parent: JSONObject, member: String) throws {
        let config = try parent.requiredObject(member).requiredObject("S3Config")
        location = BucketLocation(
            path: try config.requiredString("Path", .s3Path),
            roleARN: try config.requiredString("RoleArn", .roleARN),
            keyARN: try config.optionalString("KMSKeyArn", .kmsKeyARN))
        if let problem = location.pathProblem { throw AWSError.invalidInput("Path: \(problem).") }
    }

    var request: JSONObject {
        var config: JSONObject = ["Path": .string(location.path), "RoleArn": .string(location.roleARN)]
        config.append("KMSKeyArn", ifPresent: location.keyARN.map { .string($0) })
        return ["S3Config": .object(config)]
    }

    /// Bucket and key (or prefix) of the path.
    var bucketAndKey: (bucket: String, key: String) {
        let rest = location.path.dropFirst("s3://".count)
        let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    }

    enum Use {
        case read
        /// Objects whose names below the path begin so.
        case write([String])
    }

    /// Passing the role, and what the role itself may do with the bucket as far as the path tells: whether one without a slash names
    /// an object or a folder, and which objects a folder holds, only the bucket knows. A worker has each object decided before it
    /// touches it, so nothing is asked here that a role could do without.
    func questions(_ use: Use) -> [OperationPlan.Question] {
        let (bucket, key) = bucketAndKey
        let bucketARN = "arn:aws:s3:::\(bucket)"
        let folder = key.isEmpty || key.hasSuffix("/") ? key : key + "/"
        func role(_ action: String, _ resource: String, _ context: [String: [String]] = [:]) -> OperationPlan.Question {
            .init(action: action, resource: resource, context: context, role: location.roleARN)
        }
        var questions: [OperationPlan.Question] = [.passRole(location.roleARN)]
        switch use {
        case .read where key.lowercased().hasSuffix(".csv"):
            questions.append(role("s3:GetObject", "\(bucketARN)/\(key)"))
            questions.append(role("s3:ListBucket", bucketARN, ["s3:prefix": [key]]))
        case .read:
            questions.append(role("s3:ListBucket", bucketARN, ["s3:prefix": [folder]]))
        case .write(let names):
            questions += names.map { role("s3:PutObject", "\(bucketARN)/\(folder)\($0)*") }
        }
        if let key = location.keyARN { questions += OperationPlan.Question.useKey(key) }
        return questions
    }
}
