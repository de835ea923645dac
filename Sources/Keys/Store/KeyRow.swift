import AWSProtocol
import FoundationEssentials
import Postgres

/// A key as the table has it.
struct KeyRow: Sendable {
    static let columns =
        "k.key_id, k.arn, k.description, k.state, k.policy, k.tags, k.created_at, k.deletion_at, k.deletion_window, "
        + "k.current_material"

    let metadata: KeyMetadata
    let policy: String
    let tags: [KeyTag]

    var keyID: String { metadata.keyID }
    var arn: ARN { metadata.arn }
    var account: String { metadata.arn.account }

    init(_ row: PostgresRow) throws {
        let arnText: String = try row.get("arn")
        let stateText: String = try row.get("state")
        guard let arn = ARN(arnText), let state = KeyState(rawValue: stateText) else {
            throw KeyError.internal("A key in the database is malformed.")
        }
        metadata = KeyMetadata(
            keyID: try row.get("key_id"), arn: arn, description: try row.get("description"), state: state,
            createdAt: try row.get("created_at"), deletionAt: try row.get("deletion_at"),
            deletionWindowDays: (try row.get("deletion_window") as Int32?).map(Int.init),
            currentMaterialID: Hex.encode(try row.get("current_material", as: [UInt8].self)))
        policy = try row.get("policy")
        tags = try KeyTag.parse(try row.get("tags"))
    }
}

/// A tag of a key.
package struct KeyTag: Sendable, Equatable {
    package static let maximumTags = 50
    package var key: String
    package var value: String

    package init(key: String, value: String) throws(KeyError) {
        guard (1...128).contains(key.count), value.count <= 256, !key.hasPrefix("aws:") else {
            throw KeyError(.tag, "A tag's key has 1 to 128 characters and does not begin with aws:, its value at most 256.")
        }
        self.key = key
        self.value = value
    }

    static func json(_ tags: [KeyTag]) -> String {
        JSONValue.array(tags.map { ["TagKey": .string($0.key), "TagValue": .string($0.value)] }).serializedString
    }

    static func parse(_ text: String) throws -> [KeyTag] {
        try (JSONValue.parse(Array(text.utf8)).arrayValue ?? []).map {
            try KeyTag(key: $0["TagKey"]?.stringValue ?? "", value: $0["TagValue"]?.stringValue ?? "")
        }
    }
}
