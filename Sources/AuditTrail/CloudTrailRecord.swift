package import AWSProtocol

package import struct FoundationEssentials.Date
package import struct FoundationEssentials.UUID

/// One event of the trail, in the record format of CloudTrail 1.08.
///
/// Members appear in the order of the published samples: userAgent, then errorCode and errorMessage of a
/// failure, requestParameters, responseElements, additionalEventData, requestID and so on. `requestParameters`
/// and `responseElements` are an object or null; every other absent member is left out. Plaintext, ciphertext,
/// secret keys and grant tokens must never be put into any member; the encryption context is shown in clear.
package struct CloudTrailRecord: Sendable, Equatable {
    /// A resource the call touched, for example type `AWS::KMS::Key`.
    package struct Resource: Sendable, Equatable {
        package var accountID: String
        package var type: String
        package var arn: String

        package init(accountID: String, type: String, arn: String) {
            self.accountID = accountID
            self.type = type
            self.arn = arn
        }

        package static func key(_ arn: ARN) -> Resource {
            Resource(accountID: arn.account, type: "AWS::KMS::Key", arn: arn.description)
        }
    }

    /// The transport of the call; absent where it came without TLS.
    package struct TLSDetails: Sendable, Equatable {
        package var tlsVersion: String
        package var cipherSuite: String
        package var clientProvidedHostHeader: String

        package init(tlsVersion: String, cipherSuite: String, clientProvidedHostHeader: String) {
            self.tlsVersion = tlsVersion
            self.cipherSuite = cipherSuite
            self.clientProvidedHostHeader = clientProvidedHostHeader
        }
    }

    package static let eventVersion = "1.08"

    package var userIdentity: CloudTrailIdentity
    package var eventTime: Date
    package var eventSource: String
    package var eventName: String
    package var awsRegion: String
    package var sourceIPAddress: String
    package var userAgent: String
    package var errorCode: String?
    package var errorMessage: String?
    package var requestParameters: JSONObject?
    package var responseElements: JSONObject?
    package var additionalEventData: JSONObject?
    package var requestID: String
    package var eventID: UUID
    package var readOnly: Bool
    package var resources: [Resource]
    package var eventType = "AwsApiCall"
    package var managementEvent = true
    /// The account the record is delivered to, and the only one that may look it up.
    package var recipientAccountID: String
    /// Common to the copies of one event that two accounts receive.
    package var sharedEventID: UUID?
    package var eventCategory = "Management"
    package var tlsDetails: TLSDetails?

    package init(
        userIdentity: CloudTrailIdentity,
        eventTime: Date,
        eventSource: String,
        eventName: String,
        awsRegion: String,
        sourceIPAddress: String,
        userAgent: String,
        requestID: String,
        readOnly: Bool,
        recipientAccountID: String,
        eventID: UUID = .random(),
        requestParameters: JSONObject? = nil,
        responseElements: JSONObject? = nil,
        additionalEventData: JSONObject? = nil,
        resources: [Resource] = [],
        errorCode: String? = nil,
        errorMessage: String? = nil,
        sharedEventID: UUID? = nil,
        tlsDetails: TLSDetails? = nil
    ) {
        self.userIdentity = userIdentity
        self.eventTime = eventTime
        self.eventSource = eventSource
        self.eventName = eventName
        self.awsRegion = awsRegion
        self.sourceIPAddress = sourceIPAddress
        self.userAgent = userAgent
        self.requestID = requestID
        self.readOnly = readOnly
        self.recipientAccountID = recipientAccountID
        self.eventID = eventID
        self.requestParameters = requestParameters
        self.responseElements = responseElements
        self.additionalEventData = additionalEventData
        self.resources = resources
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.sharedEventID = sharedEventID
        self.tlsDetails = tlsDetails
    }

    /// This record and the owner's copy of it, where caller and resource live in different accounts.
    ///
    /// The owner sees of the caller only account and principal id; both copies have their own eventID and one sharedEventID.
    package func delivered(alsoTo owner: String) -> [CloudTrailRecord] {
        guard owner != recipientAccountID else { return [self] }
        let shared = UUID.random()
        var own = self
        own.sharedEventID = shared
        var copy = self
        copy.sharedEventID = shared
        copy.eventID = .random()
        copy.recipientAccountID = owner
        if userIdentity.kind != .awsService {
            copy.userIdentity = .awsAccount(
                principalID: userIdentity.principalID ?? "", accountID: userIdentity.accountID ?? recipientAccountID)
        }
        return [own, copy]
    }
}
