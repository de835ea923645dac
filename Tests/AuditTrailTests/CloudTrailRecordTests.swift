import AWSProtocol
import AuditTrail
import FoundationEssentials
import Testing

/// The three events as the document on data protection prints them, with its region placeholder filled and without
/// tlsDetails, which needs TLS.
private enum Document {
    static let identity =
        #"{"type":"AssumedRole","principalId":"AROAIGDTESTANDEXAMPLE:Sampleuser01","arn":"arn:aws:sts::111122223333:assumed-role/Admin/Sampleuser01","accountId":"111122223333","accessKeyId":"AKIAIOSFODNN7EXAMPLE3","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAIGDTESTANDEXAMPLE:Sampleuser01","arn":"arn:aws:sts::111122223333:assumed-role/Admin/Sampleuser01","accountId":"111122223333","userName":"Admin"},"webIdFederationData":{},"attributes":{"creationDate":"2022-10-05T21:16:23Z","mfaAuthenticated":"false"}}}"#

    static func event(_ name: String, _ middle: String, eventID: UUID, readOnly: Bool) -> String {
        #"{"eventVersion":"1.08","userIdentity":"# + identity
            + #","eventTime":"2022-10-05T21:16:23Z","eventSource":"kms.amazonaws.com","eventName":""# + name
            + #"","awsRegion":"us-west-2","sourceIPAddress":"172.12.34.56","userAgent":"ExampleDesktop/1.0 (V1; OS)","#
            + middle + #","requestID":"ff000af-00eb-00ce-0e00-ea000fb0fba0SAMPLE","eventID":""#
            + eventID.uuidString.lowercased() + #"","readOnly":\#(readOnly),"resources":[{"accountId":"111122223333","#
            + #""type":"AWS::KMS::Key","ARN":"arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-123456SAMPLE"}],"#
            + #""eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}"#
    }
}

@Suite struct CloudTrailRecordTests {
    private let grantID = "0ab0ac0d0b000f00ea00cc0a0e00fc00bce000c000f0000000c0bc0a0000aaafSAMPLE"

    @Test func describeKeyHasTheDocumentedMembersInTheirOrder() {
        var record = sampleRecord("DescribeKey")
        record.requestParameters = ["keyId": .string(sampleKey.description)]
        let middle = #""requestParameters":{"keyId":"\#(sampleKey)"},"responseElements":null"#
        #expect(record.json.serializedString == Document.event("DescribeKey", middle, eventID: record.eventID, readOnly: true))
    }

    @Test func createGrantHasTheDocumentedMembersInTheirOrder() {
        var record = sampleRecord("CreateGrant", readOnly: false)
        record.requestParameters = [
            "operations": ["Decrypt", "GenerateDataKey"], "granteePrincipal": "AWS Internal",
            "keyId": .string(sampleKey.description),
        ]
        record.responseElements = ["grantId": .string(grantID)]
        let middle =
            #""requestParameters":{"operations":["Decrypt","GenerateDataKey"],"granteePrincipal":"AWS Internal","keyId":"\#(sampleKey)"},"responseElements":{"grantId":"\#(grantID)"}"#
        #expect(record.json.serializedString == Document.event("CreateGrant", middle, eventID: record.eventID, readOnly: false))
    }

    @Test func retireGrantNamesItsGrantInAdditionalEventDataAlone() {
        var record = sampleRecord("RetireGrant", readOnly: false)
        record.additionalEventData = ["grantId": .string(grantID)]
        let middle = #""requestParameters":null,"responseElements":null,"additionalEventData":{"grantId":"\#(grantID)"}"#
        #expect(record.json.serializedString == Document.event("RetireGrant", middle, eventID: record.eventID, readOnly: false))
    }

    @Test func tlsDetailsAppearOnlyWhereTLSWasUsed() {
        var record = sampleRecord()
        #expect(record.json["tlsDetails"] == nil)
        record.tlsDetails = .init(
            tlsVersion: "TLSv1.2", cipherSuite: "ECDHE-RSA-AES256-GCM-SHA384",
            clientProvidedHostHeader: "kms.us-west-2.amazonaws.com")
        #expect(record.json.keys.last == "tlsDetails")
    }

    @Test func aFailureCarriesItsErrorBetweenUserAgentAndParameters() {
        var record = sampleRecord("Decrypt")
        record.errorCode = "AccessDenied"
        record.errorMessage = "User is not authorized"
        let keys = Array(record.json.keys)
        let agent = keys.firstIndex(of: "userAgent")!
        #expect(Array(keys[agent...(agent + 3)]) == ["userAgent", "errorCode", "errorMessage", "requestParameters"])
    }

    @Test func aServiceActingForItselfShowsItsNameAlone() {
        let identity = CloudTrailIdentity.awsService(invokedBy: "forecast.amazonaws.com")
        #expect(
            JSONValue.object(identity.json).serializedString
                == #"{"type":"AWSService","invokedBy":"forecast.amazonaws.com"}"#)
    }

    @Test func kindsOfIdentityHaveTheirMembers() {
        let user = CloudTrailIdentity.iamUser(
            principalID: "AIDAEXAMPLE", arn: "arn:aws:iam::111122223333:user/ann", accountID: sampleAccount,
            accessKeyID: "AKIAEXAMPLE", userName: "ann")
        #expect(Array(user.json.keys) == ["type", "principalId", "arn", "accountId", "accessKeyId", "userName"])
        let root = CloudTrailIdentity.root(accountID: sampleAccount, accessKeyID: nil)
        #expect(Array(root.json.keys) == ["type", "principalId", "arn", "accountId"])
        let foreign = CloudTrailIdentity.awsAccount(principalID: "AIDAEXAMPLE", accountID: sampleAccount)
        #expect(Array(foreign.json.keys) == ["type", "principalId", "accountId"])
        #expect(user.invoked(by: "forecast.amazonaws.com").json.keys.last == "invokedBy")
        #expect(
            [user, root, foreign, sampleIdentity].map(\.lookupName) == ["ann", "root", nil, "Sampleuser01"])
    }

    @Test func aCallOnAForeignKeyIsDeliveredToBothAccounts() {
        let copies = sampleRecord().delivered(alsoTo: "444455556666")
        #expect(copies.count == 2)
        #expect(copies[0].sharedEventID == copies[1].sharedEventID && copies[0].sharedEventID != nil)
        #expect(copies[0].eventID != copies[1].eventID)
        #expect(copies[1].recipientAccountID == "444455556666")
        #expect(copies[1].userIdentity.kind == .awsAccount && copies[1].userIdentity.arn == nil)
        #expect(sampleRecord().delivered(alsoTo: sampleAccount).count == 1)
    }

    @Test(arguments: [(1023, 1023), (1024, 1024), (1025, 1024)])
    func userAgentIsCutAtItsBound(characters: Int, shown: Int) {
        var record = sampleRecord()
        record.userAgent = String(repeating: "a", count: characters)
        #expect(record.json["userAgent"]?.stringValue?.utf8.count == shown)
    }

    @Test func aCutNeverSplitsACharacter() {
        var record = sampleRecord()
        record.errorMessage = String(repeating: "a", count: 1023) + "é"
        #expect(record.json["errorMessage"]?.stringValue == String(repeating: "a", count: 1023))
    }

    @Test func parametersBeyondTheirBoundAreLeftOutWhole() {
        var record = sampleRecord()
        record.requestParameters = ["keyId": .string(String(repeating: "a", count: 100 * 1024))]
        #expect(record.json["requestParameters"]?["omitted"] == .bool(true))
    }
}
