import AWSProtocol
import Keys

extension KMSService {
    func answerRotation(_ call: KeyCall, _ input: KMSInput) async throws -> AWSReply {
        switch call.operation {
        case .enableKeyRotation:
            try await keys.enableKeyRotation(call, key: try input.key(), periodDays: try input.rotationPeriod())
            return .empty
        case .disableKeyRotation:
            try await keys.disableKeyRotation(call, key: try input.key())
            return .empty
        case .getKeyRotationStatus:
            return .json(try await keys.keyRotationStatus(call, key: try input.key()).json)
        case .rotateKeyOnDemand:
            let key = try await keys.rotateKeyOnDemand(call, key: try input.key())
            return .json(["KeyId": .string(key.description)])
        default:
            let page = try await keys.listKeyRotations(
                call, key: try input.key(), includesFirst: try input.includesFirstMaterial(),
                limit: try input.limit(default: 100, maximum: 1000), marker: try input.marker())
            return .json(page.json("Rotations") { $0.json })
        }
    }

    func answerTags(_ call: KeyCall, _ input: KMSInput) async throws -> AWSReply {
        switch call.operation {
        case .tagResource:
            try await keys.tagResource(call, key: try input.key(), tags: try input.tags())
            return .empty
        case .untagResource:
            try await keys.untagResource(call, key: try input.key(), keys: try input.tagKeys())
            return .empty
        default:
            let page = try await keys.listResourceTags(
                call, key: try input.key(), limit: try input.limit(default: 50, maximum: 50), marker: try input.marker())
            return .json(page.json("Tags") { $0.json })
        }
    }
}
