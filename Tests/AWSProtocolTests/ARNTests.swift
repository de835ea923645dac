import AWSProtocol
import Testing

@Suite struct ARNTests {
    @Test func partsAreReadAndWritten() throws {
        let role = try #require(ARN("arn:aws:iam::123456789012:role/service/path/Worker"))
        #expect(role.service == "iam" && role.region.isEmpty && role.account == "123456789012")
        #expect(role.resourceType == "role" && role.resourceName == "service/path/Worker" && role.baseName == "Worker")
        #expect(role.description == "arn:aws:iam::123456789012:role/service/path/Worker")
        let root = try #require(ARN("arn:aws:iam::123456789012:root"))
        #expect(root.resourceType.isEmpty && root.resourceName == "root")
        #expect(ARN("arn:aws:s3:::bucket/a:b")?.resource == "bucket/a:b")
    }

    @Test(arguments: [
        "", "arn", "arn:aws:iam::1", "arn:aws:iam::1:", "xrn:aws:iam::1:root", "arn::iam::1:root", "arn:aws:::1:root",
        "arn:aws:iam::1:role/a b", "arn:aws:iam::1:role/a\nb", " arn:aws:iam::1:root",
        "arn:aws:iam::1:" + String(repeating: "x", count: 2048),
    ])
    func whatIsNoARNIsRefused(text: String) {
        #expect(ARN(text) == nil)
    }

    @Test func accountIDsHaveTwelveDigits() {
        #expect(ARN.isAccountID("123456789012"))
        #expect(!ARN.isAccountID("12345678901") && !ARN.isAccountID("12345678901x") && !ARN.isAccountID("１23456789012"))
    }
}
