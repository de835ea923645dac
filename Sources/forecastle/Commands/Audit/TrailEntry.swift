import AWSProtocol
import AuditTrail

/// What people want to see of a record.
struct TrailEntry {
    let stored: StoredRecord
    let record: JSONValue

    init?(_ stored: StoredRecord) {
        guard let record = try? JSONValue.parse(stored.text, limits: CloudTrailRecord.limits) else { return nil }
        self.stored = stored
        self.record = record
    }

    var time: String { record["eventTime"]?.stringValue ?? "" }
    var event: String { record["eventName"]?.stringValue ?? "" }
    var source: String { record["eventSource"]?.stringValue ?? "" }
    var region: String { record["awsRegion"]?.stringValue ?? "" }
    var error: String? { record["errorCode"]?.stringValue }
    var address: String { record["sourceIPAddress"]?.stringValue ?? "" }
    var resources: [String] { record["resources"]?.arrayValue?.compactMap { $0["ARN"]?.stringValue } ?? [] }

    /// The principal's ARN, else the service, else what other accounts see.
    var principal: String {
        let identity = record["userIdentity"]
        return identity?["arn"]?.stringValue ?? identity?["invokedBy"]?.stringValue ?? identity?["principalId"]?.stringValue ?? ""
    }

    /// The last part of the principal's ARN.
    var who: String { ARN(principal)?.baseName ?? principal }
}
