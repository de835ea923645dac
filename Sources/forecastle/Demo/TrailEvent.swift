import AWSProtocol

/// What the demo reads of a CloudTrail record: who did what with a key, under which session or grant.
struct TrailEvent: Sendable {
    /// `2026-11-23T21:36:18Z`
    let timestamp: String
    let name: String
    let errorCode: String?
    /// Name of the role session: of the caller, or of the session that AssumeRole made.
    let session: String?
    /// Who called, short: `role DemoData`, `forecast.amazonaws.com`, `user/admin`.
    let who: String
    /// Of CreateGrant and RetireGrant.
    let grantID: String?
    /// Of CreateGrant.
    let grantName: String
    let operations: [String]
    /// Of CreateGrant the constraint, of a key use the encryption context.
    let context: JSONObject

    init(_ record: JSONObject) {
        let identity = record["userIdentity"]
        let parameters = record["requestParameters"]
        timestamp = record["eventTime"]?.stringValue ?? ""
        name = record["eventName"]?.stringValue ?? ""
        errorCode = record["errorCode"]?.stringValue
        if identity?["type"]?.stringValue == "AssumedRole" {
            let parts = (identity?["arn"]?.stringValue ?? "").split(separator: "/")
            session = parts.last.map(String.init)
            who = parts.count == 3 ? "role \(parts[1])" : ""
        } else {
            session = parameters?["roleSessionName"]?.stringValue
            who = identity?["invokedBy"]?.stringValue ?? identity?["arn"]?.stringValue.flatMap { ARN($0)?.resource } ?? ""
        }
        grantID = record["responseElements"]?["grantId"]?.stringValue ?? record["additionalEventData"]?["grantId"]?.stringValue
        grantName = parameters?["name"]?.stringValue ?? ""
        operations = parameters?["operations"]?.arrayValue?.compactMap(\.stringValue) ?? []
        context =
            parameters?["constraints"]?["encryptionContextSubset"]?.objectValue
            ?? parameters?["encryptionContext"]?.objectValue ?? [:]
    }

    /// `21:36:18`
    var time: String { String(timestamp.dropFirst(11).prefix(8)) }

    var isDryRun: Bool { errorCode == "DryRunOperationException" }
    var isRefused: Bool { errorCode != nil && !isDryRun }
}
