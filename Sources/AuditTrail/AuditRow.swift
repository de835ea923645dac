import FoundationEssentials
import Postgres

/// A record as the table holds it: its exact text and the columns that look-ups search.
struct AuditRow: Sendable {
    let text: String
    let columns: RecordColumns

    init(_ record: CloudTrailRecord) {
        text = record.text
        columns = RecordColumns(record)
    }

    /// The call of `audit_append`: all rows in one statement, which answers the last one's sequence, or null where the
    /// shard is gone.
    static func append(_ rows: [AuditRow], to shard: UUID) -> PostgresQuery {
        let columns = rows.map(\.columns)
        var starts: [Int32] = []
        var ends: [Int32] = []
        for row in columns {
            // PostgreSQL counts from 1; where a record has no resource, the end lies before the start.
            starts.append((ends.last ?? 0) + 1)
            ends.append((ends.last ?? 0) + Int32(row.resourceNames.count))
        }
        return """
            SELECT audit_append(
                \(shard), \(rows.map(\.text)), \(columns.map(\.account)), \(columns.map(\.eventID)), \(columns.map(\.eventTime)),
                \(columns.map(\.eventSource)), \(columns.map(\.eventName)), \(columns.map { $0.username ?? "" }),
                \(columns.map { $0.accessKeyID ?? "" }), \(columns.map(\.isReadOnly)), \(starts), \(ends),
                \(columns.flatMap(\.resourceTypes)), \(columns.flatMap(\.resourceNames))) AS sequence
            """
    }
}
