import AWSProtocol
import FoundationEssentials
import Postgres

/// What look-ups search a record by. All of it stands in the record's text too, which alone is hashed: verification
/// compares the two.
struct RecordColumns: Sendable, Equatable {
    var account: String
    var eventID: UUID
    /// Whole seconds.
    var eventTime: Date
    var eventSource: String
    var eventName: String
    var username: String?
    var accessKeyID: String?
    var isReadOnly: Bool
    /// Parallel arrays: a resource is found by its ARN and by the last part of it (a key's id).
    var resourceTypes: [String] = []
    var resourceNames: [String] = []

    init(_ record: CloudTrailRecord) {
        account = record.recipientAccountID
        eventID = record.eventID
        eventTime = record.eventTime.wholeSeconds
        eventSource = record.eventSource
        eventName = record.eventName
        username = record.userIdentity.lookupName
        accessKeyID = record.userIdentity.accessKeyID
        isReadOnly = record.readOnly
        for resource in record.resources { add(resource.type, resource.arn) }
    }

    /// What the columns of this text must be; nil where it is no record.
    init?(text: String) {
        guard let record = try? JSONValue.parse(text, limits: CloudTrailRecord.limits), let identity = record["userIdentity"],
            let account = record["recipientAccountId"]?.stringValue,
            let eventID = record["eventID"]?.stringValue.flatMap(UUID.init(uuidString:)),
            let eventTime = record["eventTime"]?.stringValue.flatMap({ AWSTimestamp.parseExtended($0) }),
            let eventSource = record["eventSource"]?.stringValue, let eventName = record["eventName"]?.stringValue,
            let isReadOnly = record["readOnly"]?.boolValue,
            let kind = identity["type"]?.stringValue.flatMap(CloudTrailIdentity.Kind.init(rawValue:))
        else { return nil }
        self.account = account
        self.eventID = eventID
        self.eventTime = eventTime
        self.eventSource = eventSource
        self.eventName = eventName
        self.isReadOnly = isReadOnly
        username = CloudTrailIdentity.lookupName(
            kind: kind, principalID: identity["principalId"]?.stringValue, userName: identity["userName"]?.stringValue,
            invokedBy: identity["invokedBy"]?.stringValue)
        accessKeyID = identity["accessKeyId"]?.stringValue
        for resource in record["resources"]?.arrayValue ?? [] {
            guard let type = resource["type"]?.stringValue, let arn = resource["ARN"]?.stringValue else { return nil }
            add(type, arn)
        }
    }

    init(_ row: PostgresRow) throws {
        account = try row.get("account")
        eventID = try row.get("event_id")
        eventTime = try row.get("event_time")
        eventSource = try row.get("event_source")
        eventName = try row.get("event_name")
        username = try row.get("username")
        accessKeyID = try row.get("access_key_id")
        isReadOnly = try row.get("read_only")
        resourceTypes = try row.get("resource_types")
        resourceNames = try row.get("resource_names")
    }

    static let names = """
        account, event_id, event_time, event_source, event_name, username, access_key_id, read_only, resource_types, resource_names
        """

    private mutating func add(_ type: String, _ arn: String) {
        resourceTypes.append(type)
        resourceNames.append(arn)
        guard let slash = arn.firstIndex(of: "/") else { return }
        resourceTypes.append(type)
        resourceNames.append(String(arn[arn.index(after: slash)...]))
    }

    /// The first column that is not as in `other`, by its name in the table.
    func firstDifference(from other: RecordColumns) -> String? {
        let pairs: [(String, Bool)] = [
            ("account", account == other.account), ("event_id", eventID == other.eventID),
            ("event_time", eventTime == other.eventTime), ("event_source", eventSource == other.eventSource),
            ("event_name", eventName == other.eventName), ("username", username == other.username),
            ("access_key_id", accessKeyID == other.accessKeyID), ("read_only", isReadOnly == other.isReadOnly),
            ("resource_types", resourceTypes == other.resourceTypes),
            ("resource_names", resourceNames == other.resourceNames),
        ]
        return pairs.first { !$0.1 }?.0
    }
}
