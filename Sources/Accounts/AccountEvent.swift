import AWSProtocol
import AuditTrail

import struct FoundationEssentials.Date
import struct FoundationEssentials.UUID

/// A change to accounts as the trail records it, named as IAM's API names the call.
struct AccountEvent {
    var name: String
    /// The account that was changed, and that finds the record.
    var account: String
    var source = "iam.amazonaws.com"
    var parameters: JSONObject
    /// Never with a secret.
    var response: JSONObject?

    func record(by actor: AdminActor, region: String, at time: Date) -> CloudTrailRecord {
        CloudTrailRecord(
            userIdentity: actor.identity, eventTime: time, eventSource: source, eventName: name, awsRegion: region,
            sourceIPAddress: actor.sourceIPAddress, userAgent: actor.userAgent,
            requestID: UUID().uuidString.lowercased(), readOnly: false, recipientAccountID: account,
            requestParameters: parameters, responseElements: response)
    }
}
