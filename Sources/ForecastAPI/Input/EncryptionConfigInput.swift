import AWSProtocol
import Catalog

/// `EncryptionConfig` of a dataset or predictor.
struct EncryptionConfigInput: Sendable {
    var encryption: Resource.Encryption?

    init(in input: JSONObject, required: Bool) throws {
        guard let config = try input.optionalObject("EncryptionConfig") else {
            guard !required else {
                throw AWSError.invalidInput(
                    "EncryptionConfig is required: this installation accepts only data under a key of the customer's own.")
            }
            return
        }
        encryption = Resource.Encryption(
            keyARN: try config.requiredString("KMSKeyArn", .kmsKeyARN),
            roleARN: try config.requiredString("RoleArn", .roleARN))
    }

    var request: JSONValue? { encryption?.request }
}

extension Resource.Encryption {
    var request: JSONValue { ["RoleArn": .string(roleARN), "KMSKeyArn": .string(keyARN)] }

    /// Passing the role and the caller's own use of the key.
    var questions: [OperationPlan.Question] { [.passRole(roleARN)] + OperationPlan.Question.useKey(keyARN) }
}

extension JSONObject {
    /// Checks tags and returns them as they are stored.
    func tags() throws -> JSONValue? {
        guard let tags = try optionalObjects("Tags", count: 0...50) else { return nil }
        var seen: Set<String> = []
        return .array(
            try tags.map { tag in
                let key = try tag.requiredString("Key", .tagKey)
                guard !key.lowercased().hasPrefix("aws:") else {
                    throw AWSError.invalidInput("Tags: keys that begin with aws: are reserved.")
                }
                guard seen.insert(key).inserted else {
                    throw AWSError.invalidInput("Tags: each key may stand once.")
                }
                return ["Key": .string(key), "Value": .string(try tag.requiredString("Value", .tagValue))]
            })
    }
}
