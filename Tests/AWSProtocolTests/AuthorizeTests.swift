import AWSProtocol
import Testing

@Suite struct AuthorizeTests {
    @Test func aRequestComesBackFromItsText() throws {
        let request = AuthorizeRequest(
            claim: try SignedRequestClaim(parsing: SigV4Samples.forecast), sourceIP: "192.0.2.1", userAgent: "Boto3/1",
            requestID: "r", isSecureTransport: false,
            audit: .init(
                eventSource: "forecast.amazonaws.com", eventName: "CreateDatasetGroup", isReadOnly: false,
                requestParameters: ["datasetGroupName": "demo"]),
            decisions: [
                .init(
                    action: "forecast:CreateDatasetGroup",
                    resource: "arn:aws:forecast:us-west-2:${Account}:dataset-group/demo", context: ["aws:TagKeys": ["a", "b"]])
            ])
        let read = try AuthorizeRequest(json: JSONObject.parseBody(request.json.serialized()))
        #expect(read.json == request.json)
        #expect(read.decisions == request.decisions && read.audit == request.audit)
    }

    @Test func anAnswerComesBackFromItsText() throws {
        let response = AuthorizeResponse(
            principal: .init(arn: "arn:aws:iam::123456789012:user/admin", account: "123456789012", userID: "AIDA", type: "User"),
            decisions: [.init(isAllowed: true), .init(isAllowed: false, code: "AccessDeniedException", message: "no")],
            eventID: "e")
        let read = try AuthorizeResponse(json: JSONObject.parseBody(response.json.serialized()))
        #expect(read == response)
        #expect(read.firstDenial?.code == "AccessDeniedException")
    }
}
