package import Postgres

package import struct FoundationEssentials.Date

/// When an access key was last seen in the trail, and for what.
package struct AccessKeyUse: Sendable, Hashable {
    package let time: Date
    /// Such as `kms.amazonaws.com`.
    package let eventSource: String
}

extension AuditTrail {
    /// The last call of its own account that was signed with an access key; nil for a key that was never used.
    package func lastUse(
        ofAccessKey id: String, account: String, on connection: PostgresConnection
    ) async throws -> AccessKeyUse? {
        try await connection.query(
            """
            SELECT event_time, event_source FROM audit_records
            WHERE account = \(account) AND access_key_id = \(id)
            ORDER BY event_time DESC, position DESC LIMIT 1
            """
        ).first.map { AccessKeyUse(time: try $0.get("event_time"), eventSource: try $0.get("event_source")) }
    }
}
