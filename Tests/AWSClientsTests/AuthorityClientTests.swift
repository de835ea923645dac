import AWSClients
import AWSProtocol
import AWSServer
import FoundationEssentials
import Testing

@Suite struct AuthorityClientTests {
    private func request(decisions: Int = 1) throws -> AuthorizeRequest {
        var signed = AWSRequest(
            headers: [("Host", "h"), ("X-Amz-Target", "AmazonForecast.CreateDataset")], body: [1], receivedAt: Date())
        try SigV4Signer(credentials: Samples.credentials, region: "us-west-2", service: "forecast").sign(&signed, at: Date())
        return AuthorizeRequest(
            claim: try SignedRequestClaim(parsing: signed), sourceIP: "192.0.2.1", userAgent: "u", requestID: "r",
            isSecureTransport: false,
            audit: .init(eventSource: "forecast.amazonaws.com", eventName: "CreateDataset", isReadOnly: false),
            decisions: (0..<decisions).map { .init(action: "forecast:CreateDataset", resource: "arn:\($0)") })
    }

    @Test func aCallersClaimIsVerifiedWhereItArrives() async throws {
        let handler: @Sendable (AWSRequest) async throws -> AWSResponse = { request in
            #expect(request.header("x-amz-target") == "ForecastleAuthority.Authorize")
            let authorize = try AuthorizeRequest(json: JSONObject.parseBody(request.body))
            try SigV4Verifier(region: "us-west-2").verify(
                authorize.claim, service: "forecast", secret: Samples.secret, now: Date())
            return .json(
                AuthorizeResponse(
                    principal: .init(arn: "a", account: "1", userID: "u", type: "User"),
                    decisions: authorize.decisions.map { _ in .init(isAllowed: true) }, eventID: "e"
                ).json)
        }
        try await withService("forecast", handler) { configuration in
            let answer = try await AuthorityClient(configuration: configuration, transport: HTTPTransport())
                .authorize(request())
            #expect(answer.principal.account == "1" && answer.firstDenial == nil)
        }
    }

    @Test func anAnswerWithADecisionLessIsRefused() async throws {
        let transport = ScriptedTransport([
            .answer(
                200,
                #"{"Principal":{"Arn":"a","Account":"1","UserId":"u","Type":"User"},"Decisions":[{"Allowed":true}],"EventId":"e"}"#
            )
        ])
        let client = AuthorityClient(caller: TestSurroundings().caller(transport, signingName: "forecast"))
        let request = try request(decisions: 2)
        let error = await #expect(throws: AWSError.self) { try await client.authorize(request) }
        #expect(error?.code == "MalformedAnswer")
    }
}
