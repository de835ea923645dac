package import Postgres

// How this room's values stand in PostgreSQL: as their raw values.

extension JobID: PostgresEncodable, PostgresDecodable {}
extension TaskID: PostgresEncodable, PostgresDecodable {}
extension Fence: PostgresEncodable, PostgresDecodable {}
extension Epoch: PostgresEncodable, PostgresDecodable {}
extension JobKind: PostgresEncodable, PostgresDecodable {}
extension DeathReason: PostgresEncodable, PostgresDecodable {}
extension TaskPriority: PostgresEncodable, PostgresDecodable {}
extension JobState: PostgresEncodable, PostgresDecodable {}
extension TaskState: PostgresEncodable, PostgresDecodable {}
extension TaskRole: PostgresEncodable, PostgresDecodable {}
extension GrantState: PostgresEncodable, PostgresDecodable {}

extension JobJSON: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { PostgresJSON.postgresType }
    package var postgresParameter: PostgresParameter { PostgresJSON(text: text).postgresParameter }
    package init(postgres cell: PostgresCell) throws { self.init(text: try PostgresJSON(postgres: cell).text) }
}
