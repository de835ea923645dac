import AWSClients
import AWSProtocol
import FoundationEssentials
import Testing

@Suite struct RetryTests {
    private let success = ScriptedTransport.Step.answer(200, #"{"GrantId":"g","GrantToken":"t"}"#)
    private let request = CreateGrantRequest(keyID: "k", granteePrincipal: "p", operations: ["Decrypt"])

    private func run(
        _ steps: [ScriptedTransport.Step], change: (inout AWSClientConfiguration) -> Void = { _ in }
    ) async -> (code: String?, calls: Int, pauses: [Duration]) {
        let transport = ScriptedTransport(steps)
        let surroundings = TestSurroundings()
        let client = KMSClient(caller: surroundings.caller(transport, change: change))
        do {
            _ = try await client.createGrant(request)
            return (nil, transport.calls.count, surroundings.pauses)
        } catch {
            return (error.code, transport.calls.count, surroundings.pauses)
        }
    }

    @Test func faultsOfServerAndNetworkAreRepeatedWithGrowingPauses() async {
        let result = await run([.failure, .answer(500, "{}"), .answer(503, "<html>"), success])
        #expect(result.code == nil && result.calls == 4)
        #expect(result.pauses == [.milliseconds(25), .milliseconds(50), .milliseconds(100)])
    }

    @Test func throttlingIsRepeatedAfterLongerPauses() async {
        let throttled = ScriptedTransport.Step.answer(400, #"{"__type":"ThrottlingException"}"#)
        let result = await run([throttled, throttled, throttled, success])
        #expect(result.code == nil && result.pauses == [.milliseconds(375), .milliseconds(750), .milliseconds(1500)])
    }

    @Test(arguments: [
        "AccessDeniedException", "LimitExceededException", "InvalidSignatureException", "ExpiredTokenException",
        "ValidationException",
    ])
    func whatTheCallerDidWrongIsNotRepeated(code: String) async {
        let result = await run([.answer(400, #"{"__type":"\#(code)"}"#)])
        #expect(result.code == code && result.calls == 1)
    }

    @Test func attemptsAreBounded() async {
        let result = await run([.failure, .failure, .failure, .failure])
        #expect(result.code == "ServiceUnavailable" && result.calls == 4)
    }

    @Test func theTotalTimeIsBounded() async {
        let result = await run(Array(repeating: .failure, count: 3)) {
            $0.totalTimeout = .milliseconds(100)
            $0.retries.attempts = 100
        }
        #expect(result.code == "ServiceUnavailable" && result.calls == 3)
        #expect(result.pauses == [.milliseconds(25), .milliseconds(50)])
    }

    @Test func pausesAreCappedAndJittered() {
        let policy = RetryPolicy(attempts: 1000)
        func pause(_ made: Int, _ jitter: Double) -> Duration? {
            policy.pause(
                after: .serviceUnavailable(), attempts: made, elapsed: .zero, limit: .seconds(1000), jitter: jitter)
        }
        #expect(pause(1, 0) == .zero)
        #expect(pause(900, 0.5) == .seconds(1))
        #expect(pause(1000, 0.5) == nil)
    }

    @Test func aCancelledCallIsNotRepeated() async throws {
        let transport = ScriptedTransport([.failure])
        let client = KMSClient(caller: TestSurroundings().caller(transport))
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await #expect(throws: AWSError.self) { try await client.createGrant(request) }
        }
        #expect(await task.value?.code == "RequestCancelled")
        #expect(transport.calls.count == 1)
    }

    @Test func everyAttemptIsSignedAnew() async throws {
        let transport = ScriptedTransport([.failure, success])
        _ = try await KMSClient(caller: TestSurroundings().caller(transport)).createGrant(request)
        for call in transport.calls {
            let claim = try SignedRequestClaim(parsing: call.request)
            try SigV4Verifier(region: "us-west-2").verify(claim, service: "kms", secret: Samples.secret, now: Date())
            #expect(claim.signedHeader("host") == "127.0.0.1:1")
        }
    }
}

@Suite struct AWSClientConfigurationTests {
    private func refusal(_ endpoint: String) -> String? {
        do {
            try Samples.configuration(endpoint: endpoint).validate()
            return nil
        } catch {
            return error.message
        }
    }

    @Test(arguments: [
        "http://127.0.0.1:8080", "http://127.0.0.1:8080/", "http://localhost", "http://[::1]:80",
        "https://kms.us-west-2.amazonaws.com",
        "https://kms.us-west-2.amazonaws.com:443",
    ])
    func endpointsAreTaken(endpoint: String) {
        #expect(refusal(endpoint) == nil)
    }

    @Test(arguments: [
        "", "127.0.0.1:80", "ftp://127.0.0.1", "http://", "http://127.0.0.1/path", "http://a@127.0.0.1", "http://10.0.0.1",
        "http://127.0.0.1.example.org", "http://example.org",
    ])
    func otherEndpointsAreRefused(endpoint: String) {
        #expect(refusal(endpoint)?.hasPrefix("endpoint must") == true)
    }
}
