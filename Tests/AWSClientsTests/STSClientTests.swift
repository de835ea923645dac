import AWSClients
import AWSProtocol
import AWSServer
import FoundationEssentials
import Secrets
import Synchronization
import Testing

@Suite struct STSClientTests {
    @Test func aRoleIsAssumedForACaller() async throws {
        let handler: @Sendable (AWSRequest) async throws -> AWSResponse = { request in
            let parameters = try QueryParameters(of: request)
            let claim = try SignedRequestClaim(parsing: request)
            #expect(parameters["RoleSessionName"] == "forecast-1" && parameters["DurationSeconds"] == "900")
            #expect(parameters["ExternalId"] == "e x&" && parameters["SourceIdentity"] == nil)
            #expect(claim.signedHeader(ServiceHeaders.sourceARN) == "arn:aws:forecast:us-west-2:123456789012:dataset/d")
            #expect(claim.signedHeader(ServiceHeaders.sourceAccount) == "123456789012")
            #expect(claim.signedHeader(ServiceHeaders.sourceIP) == "192.0.2.1")
            #expect(claim.signedHeader(ServiceHeaders.userAgent) == "Boto3/1 ??a??b")
            var writer = XMLWriter()
            writer.element("AssumeRoleResponse", namespace: "https://sts.amazonaws.com/doc/2011-06-15/") {
                $0.element("AssumeRoleResult") { result in
                    result.element("Credentials") {
                        $0.element("AccessKeyId", "ASIA1")
                        $0.element("SecretAccessKey", "s/+&")
                        $0.element("SessionToken", "t=")
                        $0.element("Expiration", "2026-11-23T13:28:26Z")
                    }
                    result.element("AssumedRoleUser") { $0.element("Arn", "arn:aws:sts::123456789012:assumed-role/r/forecast-1") }
                }
            }
            return .xml(writer.bytes)
        }
        try await withService("sts", handler) { configuration in
            let client = STSClient(configuration: configuration, transport: HTTPTransport())
            let role = try await client.assumeRole(
                AssumeRoleRequest(
                    roleARN: "arn:aws:iam::123456789012:role/r", sessionName: "forecast-1", duration: .seconds(900),
                    externalID: "e x&", sourceARN: "arn:aws:forecast:us-west-2:123456789012:dataset/d",
                    sourceAccount: "123456789012", forwarding: .init(sourceIP: "192.0.2.1", userAgent: "Boto3/1 éa\r\nb")))
            #expect(role.credentials.accessKeyID == "ASIA1" && role.credentials.secretAccessKey.revealed == "s/+&")
            #expect(role.credentials.sessionToken == "t=" && role.expiration == Date(timeIntervalSince1970: 1_795_440_506))
        }
    }

    @Test func anErrorHasSTSsCode() async throws {
        try await withService(
            "sts", { _ in .queryError(.accessDenied("not yours"), namespace: "urn:x", requestID: "r") }
        ) { configuration in
            let client = STSClient(configuration: configuration, transport: HTTPTransport())
            let error = await #expect(throws: AWSError.self) { try await client.getCallerIdentity() }
            #expect(error?.code == "AccessDenied" && error?.status == 403 && error?.message == "not yours")
        }
    }

    @Test func theCallerIsNamed() async throws {
        let transport = ScriptedTransport([
            .answer(
                200,
                "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>a</Arn><UserId>u</UserId><Account>1</Account>"
                    + "</GetCallerIdentityResult></GetCallerIdentityResponse>")
        ])
        let client = STSClient(caller: TestSurroundings().caller(transport, signingName: "sts"))
        #expect(try await client.getCallerIdentity() == CallerIdentity(arn: "a", account: "1", userID: "u"))
    }
}

@Suite struct AssumedRoleCredentialsTests {
    /// A role whose sessions live 900 s and whose clock is set by hand.
    private final class Role: Sendable {
        let state = Mutex((now: 0.0, count: 0, fails: false))

        var now: Date { Date(timeIntervalSince1970: state.withLock { $0.now }) }

        func assume() throws -> AssumedRole {
            try state.withLock { state in
                if state.fails { throw AWSError.accessDenied("gone") }
                state.count += 1
                return AssumedRole(
                    credentials: AWSCredentials(accessKeyID: "ASIA\(state.count)", secretAccessKey: Redacted("s")),
                    expiration: Date(timeIntervalSince1970: state.now + 900), sessionARN: "arn")
            }
        }

        func set(now: Double, fails: Bool = false) {
            state.withLock { state in
                state.now = now
                state.fails = fails
            }
        }
    }

    @Test func aSessionIsRenewedAtTwoThirdsOfItsLife() async throws {
        let role = Role()
        let provider = AssumedRoleCredentials(now: { role.now }, assume: { try role.assume() })
        #expect(try await provider.credentials().accessKeyID == "ASIA1")
        role.set(now: 599)
        #expect(try await provider.credentials().accessKeyID == "ASIA1")
        role.set(now: 600)
        #expect(try await provider.credentials().accessKeyID == "ASIA2")
    }

    @Test func aFailedRenewalIsAnErrorOnlyOnceTheSessionHasExpired() async throws {
        let role = Role()
        let provider = AssumedRoleCredentials(now: { role.now }, assume: { try role.assume() })
        _ = try await provider.credentials()
        role.set(now: 899, fails: true)
        #expect(try await provider.credentials().accessKeyID == "ASIA1")
        role.set(now: 900, fails: true)
        await #expect(throws: AWSError.self) { try await provider.credentials() }
        role.set(now: 901)
        #expect(try await provider.credentials().accessKeyID == "ASIA2")
    }

    @Test func callersAtOnceShareOneSession() async throws {
        let role = Role()
        let provider = AssumedRoleCredentials(
            now: { role.now },
            assume: {
                await Task.yield()
                return try role.assume()
            })
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<50 { group.addTask { try await provider.credentials().accessKeyID } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(ids == ["ASIA1"])
    }
}
