import AWSProtocol
import Accounts
import AuditTrail

import struct FoundationEssentials.Date
import struct FoundationEssentials.UUID

/// Acts of whoever runs the authority, as the trail shows them: by nobody's principal, from `vault.forecastle`.
enum VaultTrail {
    static let source = "vault.forecastle"

    static func record(
        _ name: String, account: String, region: String, _ parameters: JSONObject
    ) -> CloudTrailRecord {
        let actor = AdminActor.commandLine
        var record = CloudTrailRecord(
            userIdentity: actor.identity, eventTime: Date(), eventSource: source, eventName: name, awsRegion: region,
            sourceIPAddress: actor.sourceIPAddress, userAgent: actor.userAgent, requestID: UUID().uuidString.lowercased(),
            readOnly: false, recipientAccountID: account, requestParameters: parameters)
        record.eventType = "AwsServiceEvent"
        return record
    }
}
