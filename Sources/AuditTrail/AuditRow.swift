import AWSProtocol
import FoundationEssentials
import Postgres

/// A record as the table holds it: its exact text and the columns that look-ups search.
struct AuditRow {
    let record: CloudTrailRecord
    let text: String
    /// Parallel arrays: a resource is found by its ARN and by the last part of it (a key's id).
    let resourceTypes: [String]
    let resourceNames: [String]

    init(_ record: CloudTrailRecord) {
        self.record = record
        text = JSONValue.object(record.json).serializedString
        var types: [String] = []
        var names: [String] = []
        for resource in record.resources {
            types.append(resource.type)
            names.append(resource.arn)
            if let slash = resource.arn.firstIndex(of: "/") {
                types.append(resource.type)
                names.append(String(resource.arn[resource.arn.index(after: slash)...]))
            }
        }
        resourceTypes = types
        resourceNames = names
    }

    func insertion(shard: UUID, sequence: Int64, previousHash: [UInt8], hash: [UInt8]) -> PostgresQuery {
        """
        INSERT INTO audit_records (
            shard, sequence, previous_hash, hash, account, event_id, event_time, event_source, event_name, username,
            access_key_id, read_only, resource_types, resource_names, record)
        VALUES (
            \(shard), \(sequence), \(previousHash), \(hash), \(record.recipientAccountID), \(record.eventID),
            \(record.eventTime.wholeSeconds), \(record.eventSource), \(record.eventName),
            \(record.userIdentity.lookupName as String?), \(record.userIdentity.accessKeyID as String?), \(record.readOnly),
            \(resourceTypes), \(resourceNames), \(text))
        """
    }
}
