import AWSProtocol
import Pipelines

/// `S3Config` of a data source or destination.
struct S3ConfigInput: Sendable {
    let location: BucketLocation
    let bucket: String
    /// A key, or the beginning of keys.
    private let key: String

    init(in parent: JSONObject, member: String) throws {
        let config = try parent.requiredObject(member).requiredObject("S3Config")
        location = BucketLocation(
            path: try config.requiredString("Path", .s3Path),
            roleARN: try config.requiredString("RoleArn", .roleARN),
            keyARN: try config.optionalString("KMSKeyArn", .kmsKeyARN))
        do {
            (bucket, key) = try location.parts()
        } catch {
            throw AWSError.invalidInput("Path: \(error.message).")
        }
    }

    var request: JSONObject {
        var config: JSONObject = ["Path": .string(location.path), "RoleArn": .string(location.roleARN)]
        config.append("KMSKeyArn", ifPresent: location.keyARN.map { .string($0) })
        return ["S3Config": .object(config)]
    }

    enum Use {
        /// `isGuarded`: a worker has each object decided before it touches it. Then nothing is asked here that a role could do without,
        /// for whether a path without a slash names an object or a folder, and what a folder holds, only the bucket knows. Where nobody
        /// decides later, a role needs all that the path might mean.
        case read(isGuarded: Bool)
        /// Names below the path as the files will have them.
        case write([String])
    }

    /// Passing the role, and what the role itself may do with the bucket.
    func questions(_ use: Use) -> [OperationPlan.Question] {
        let bucketARN = "arn:aws:s3:::\(bucket)"
        let isFolder = key.isEmpty || key.hasSuffix("/")
        let folder = isFolder ? key : key + "/"
        func role(_ action: String, _ resource: String, _ context: [String: [String]] = [:]) -> OperationPlan.Question {
            .init(action: action, resource: resource, context: context, role: location.roleARN)
        }
        let listing = role("s3:ListBucket", bucketARN, ["s3:prefix": [folder]])
        var questions: [OperationPlan.Question] = [.passRole(location.roleARN)]
        switch use {
        case .read(isGuarded: true):
            if isFolder { questions.append(listing) }
            if key.lowercased().hasSuffix(".csv") { questions.append(role("s3:GetObject", "\(bucketARN)/\(key)")) }
        case .read(isGuarded: false):
            questions += [role("s3:GetObject", "\(bucketARN)/\(folder)*"), listing]
            if !isFolder { questions.append(role("s3:GetObject", "\(bucketARN)/\(key)")) }
        case .write(let names):
            questions += names.map { role("s3:PutObject", "\(bucketARN)/\(folder)\($0)") }
        }
        if let key = location.keyARN { questions += OperationPlan.Question.useKey(key) }
        return questions
    }
}
