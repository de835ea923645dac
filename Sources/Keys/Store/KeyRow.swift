import AWSProtocol
import FoundationEssentials
import Postgres

/// A key as the table has it.
struct KeyRow: Sendable {
    static let columns =
        "k.key_id, k.arn, k.description, k.state, k.policy, k.tags, k.created_at, k.deletion_at, k.deletion_window, "
        + "k.current_material, k.rotation_days, k.next_rotation_at, "
        + "ARRAY(SELECT named.name FROM key_aliases named WHERE named.key_id = k.key_id ORDER BY named.name) AS aliases"

    let metadata: KeyMetadata
    let policy: String
    let tags: [KeyTag]
    /// Names of the aliases that stand for it, for `kms:ResourceAliases`.
    let aliases: [String]
    /// Nil while automatic rotation is off.
    let rotation: RotationSchedule?

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
        aliases = try row.get("aliases")
        let days: Int32? = try row.get("rotation_days")
        let next: Date? = try row.get("next_rotation_at")
        rotation = if let days, let next { RotationSchedule(periodDays: Int(days), next: next) } else { nil }
    }
}
