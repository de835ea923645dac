import FoundationEssentials
import Postgres

extension AuditTrail {
    /// A page of one account's events, newest first; those of one second in reverse order of recording.
    package func lookup(_ lookup: EventLookup) async throws -> LookupPage {
        guard let query = Self.query(lookup) else { return .empty }
        let rows = try await pool.withConnection { connection in
            try await connection.pipeline([
                // Which index serves depends on the value: a plan for any value would walk all events for a rare one.
                "SELECT set_config('plan_cache_mode', 'force_custom_plan', true)", query,
            ])[1]
        }
        let shown = rows.prefix(lookup.limit)
        var page = LookupPage(events: try shown.map(event), nextToken: nil)
        if rows.count > lookup.limit, let last = shown.last {
            let position = LookupToken.Position(second: try last.get("second"), position: try last.get("position"))
            page.nextToken = LookupToken(position: position, digest: lookup.digest).text
        }
        return page
    }

    /// Nil where no event can match.
    private static func query(_ lookup: EventLookup) -> PostgresQuery? {
        let after = lookup.after ?? .newest
        var text = PostgresQuery.StringInterpolation(literalCapacity: 1024, interpolationCount: 8)
        text.appendLiteral(
            """
            SELECT event_id::text AS event_id, event_name, read_only, access_key_id, event_time, event_source, username,
                   resource_types, resource_names, record, position, extract(epoch FROM event_time)::bigint AS second
            FROM audit_records WHERE account =
            """)
        text.appendInterpolation(lookup.account)
        text.appendLiteral(" AND event_time >= ")
        text.appendInterpolation(max(lookup.start ?? lookup.oldest, lookup.oldest))
        text.appendLiteral(" AND event_time <= ")
        text.appendInterpolation(lookup.end ?? .distantFuture)
        text.appendLiteral(" AND (event_time, position) < (to_timestamp(")
        text.appendInterpolation(after.second)
        text.appendLiteral("), ")
        text.appendInterpolation(after.position)
        text.appendLiteral(")")
        if let attribute = lookup.attribute {
            guard append(attribute, to: &text) else { return nil }
        }
        text.appendLiteral(" ORDER BY event_time DESC, position DESC LIMIT ")
        // One row more than asked for tells whether there is a next page.
        text.appendInterpolation(lookup.limit + 1)
        return PostgresQuery(stringInterpolation: text)
    }

    /// Adds the attribute's condition, spelled as the indexes need it; false where no event can meet it.
    private static func append(
        _ attribute: EventLookup.Attribute, to text: inout PostgresQuery.StringInterpolation
    ) -> Bool {
        let value = attribute.value
        switch attribute.key {
        case .eventID:
            // Compared as text, case-sensitively, so only the spelling that the trail itself uses can match.
            guard let id = UUID(uuidString: value), id.uuidString.lowercased() == value else { return false }
            text.appendLiteral(" AND event_id = ")
            text.appendInterpolation(id)
        case .readOnly:
            guard value == "true" || value == "false" else { return false }
            text.appendLiteral(value == "true" ? " AND read_only" : " AND NOT read_only")
        case .eventName, .username, .eventSource, .accessKeyID:
            text.appendLiteral(" AND \(column(attribute.key)) = ")
            text.appendInterpolation(value)
        case .resourceName, .resourceType:
            text.appendLiteral(" AND \(column(attribute.key)) @> ")
            text.appendInterpolation([value])
        }
        return true
    }

    private static func column(_ key: EventLookup.AttributeKey) -> String {
        switch key {
        case .eventID: "event_id"
        case .eventName: "event_name"
        case .readOnly: "read_only"
        case .username: "username"
        case .resourceType: "resource_types"
        case .resourceName: "resource_names"
        case .eventSource: "event_source"
        case .accessKeyID: "access_key_id"
        }
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
