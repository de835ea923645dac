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

    enum Use { case read, write }

    /// Passing the role, and what the role itself may do with the bucket.
    func questions(_ use: Use) -> [OperationPlan.Question] {
        let (bucket, key) = bucketAndKey
        let objects = "arn:aws:s3:::\(bucket)/\(key)\(key.isEmpty || key.hasSuffix("/") || use == .write ? "*" : "")"
        var questions: [OperationPlan.Question] = [.passRole(location.roleARN)]
        switch use {
        case .read:
            questions.append(.init(action: "s3:GetObject", resource: objects, role: location.roleARN))
            questions.append(.init(action: "s3:ListBucket", resource: "arn:aws:s3:::\(bucket)", role: location.roleARN))
        case .write:
            questions.append(.init(action: "s3:PutObject", resource: objects, role: location.roleARN))
        }
        if let key = location.keyARN { questions += OperationPlan.Question.useKey(key) }
        return questions
    }
}
