import FoundationEssentials
import Postgres

extension AuditTrail {
    /// A page of one account's events, newest first; those of one second in reverse order of recording.
    package func lookup(_ lookup: EventLookup) async throws -> LookupPage {
        let (condition, value) = Self.condition(lookup.attribute)
        let after = lookup.after ?? .newest
        // One row more than asked for tells whether there is a next page.
        let rows = try await pool.query(
            """
            SELECT event_id::text AS event_id, event_name, read_only, access_key_id, event_time, event_source, username,
                   resource_types, resource_names, record, position, extract(epoch FROM event_time)::bigint AS second
            FROM audit_records
            WHERE account = \(lookup.account) AND event_time >= \(lookup.start ?? lookup.oldest)
              AND event_time >= \(lookup.oldest) AND event_time <= \(lookup.end ?? .distantFuture)
              AND (event_time, position) < (to_timestamp(\(after.second)), \(after.position))
              AND \(value)::text \(raw: condition)
            ORDER BY event_time DESC, position DESC LIMIT \(lookup.limit + 1)
            """)
        let shown = rows.prefix(lookup.limit)
        var page = LookupPage(events: try shown.map(event), nextToken: nil)
        if rows.count > lookup.limit, let last = shown.last {
            let position = LookupToken.Position(second: try last.get("second"), position: try last.get("position"))
            page.nextToken = LookupToken(position: position, digest: lookup.digest).text
        }
        return page
    }

    /// What follows the attribute's value in the WHERE clause: constants of this source alone.
    private static func condition(_ attribute: EventLookup.Attribute?) -> (condition: String, value: String) {
        guard let attribute else { return ("IS NOT NULL", "") }
        let condition =
            switch attribute.key {
            case .eventID: "= event_id::text"
            case .eventName: "= event_name"
            case .username: "= username"
            case .eventSource: "= event_source"
            case .accessKeyID: "= access_key_id"
            case .resourceName: "= ANY (resource_names)"
            case .resourceType: "= ANY (resource_types)"
            case .readOnly: "= read_only::text"
            }
        return (condition, attribute.value)
    }

    private func event(_ row: PostgresRow) throws -> LookedUpEvent {
        let types: [String] = try row.get("resource_types")
        let names: [String] = try row.get("resource_names")
        return LookedUpEvent(
            eventID: try row.get("event_id"),
            eventName: try row.get("event_name"),
            readOnly: try row.get("read_only"),
            accessKeyID: try row.get("access_key_id"),
            eventTime: try row.get("event_time"),
            eventSource: try row.get("event_source"),
            username: try row.get("username"),
            resources: zip(types, names).map { (type: $0, name: $1) },
            record: try row.get("record"))
    }
}
