import AWSProtocol
import AuditTrail
import FoundationEssentials

/// 2022-10-05T21:16:23Z, the time of the document's DescribeKey event.
let sampleTime = Date(timeIntervalSince1970: 1_665_004_583)
let sampleAccount = "111122223333"
let sampleKey = ARN(
    service: "kms", region: "us-west-2", account: sampleAccount, resource: "key/1234abcd-12ab-34cd-56ef-123456SAMPLE")

let sampleIdentity = CloudTrailIdentity.assumedRole(
    principalID: "AROAIGDTESTANDEXAMPLE:Sampleuser01",
    arn: "arn:aws:sts::111122223333:assumed-role/Admin/Sampleuser01",
    accountID: sampleAccount, accessKeyID: "AKIAIOSFODNN7EXAMPLE3",
    session: .init(
        issuer: .init(
            principalID: "AROAIGDTESTANDEXAMPLE:Sampleuser01",
            arn: "arn:aws:sts::111122223333:assumed-role/Admin/Sampleuser01",
            accountID: sampleAccount, userName: "Admin"),
        creationDate: sampleTime))

func sampleRecord(
    _ name: String = "DescribeKey", at time: Date = sampleTime, readOnly: Bool = true, account: String = sampleAccount,
    identity: CloudTrailIdentity = sampleIdentity
) -> CloudTrailRecord {
    CloudTrailRecord(
        userIdentity: identity, eventTime: time, eventSource: "kms.amazonaws.com", eventName: name, awsRegion: "us-west-2",
        sourceIPAddress: "172.12.34.56", userAgent: "ExampleDesktop/1.0 (V1; OS)",
        requestID: "ff000af-00eb-00ce-0e00-ea000fb0fba0SAMPLE", readOnly: readOnly, recipientAccountID: account,
        resources: [.key(sampleKey)])
}
