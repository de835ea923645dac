import AWSClients
import AWSProtocol
import Foundation
import Jobs
import Pipelines
import Secrets
import Synchronization
import Testing

/// STS and KMS at one address, which answer RetireGrant and AssumeRole as they are told and remember who asked.
private final class ScriptedAuthority: AWSTransport {
    enum Answer: Sendable {
        case done
        case refusal(String)
        /// The grant is retired, and nobody hears of it.
        case lost
    }

    private struct State {
        var roles: [String: Answer] = [:]
        var isGone = false
        var retiring: [String: [Answer]] = [:]
        var retiredBy: [String] = []
        var assumed: [String] = []
    }

    private let state = Mutex(State())

    func assuming(_ role: String, _ answer: Answer) { state.withLock { $0.roles[role] = answer } }
    /// What retiring by a session of this role comes to, one call after the other; then as for a grant that is there.
    func retiring(by role: String, _ answers: Answer...) { state.withLock { $0.retiring[role] = answers } }
    /// The roles whose sessions asked for the grant to be retired.
    var retiredBy: [String] { state.withLock { $0.retiredBy } }
    var assumed: [String] { state.withLock { $0.assumed } }

    func send(_ call: AWSTransportCall) async throws -> AWSTransportAnswer {
        let headers = Dictionary(call.request.headers.map { ($0.0.lowercased(), $0.1) }) { $1 }
        guard headers["x-amz-target"] != nil else {
            let role = try #require(try QueryParameters(form: call.request.body)["RoleArn"])
            return assume(role)
        }
        let credential = try #require(headers["authorization"]?.firstMatch(of: /Credential=ASIA([^\/]+)/))
        let role = String(credential.output.1)
        let answer = state.withLock { state -> Answer in
            state.retiredBy.append(role)
            let scripted = state.retiring[role]?.isEmpty == false ? state.retiring[role]?.removeFirst() : nil
            let answer = scripted ?? (state.isGone ? .refusal("NotFoundException") : .done)
            if case .refusal = answer { return answer }
            state.isGone = true
            return answer
        }
        switch answer {
        case .done: return .init(status: 200, body: .bytes(Array("{}".utf8)))
        case .refusal(let code): return .init(status: 400, body: .bytes(Array(#"{"__type":"\#(code)","message":"m"}"#.utf8)))
        case .lost: throw URLError(.networkConnectionLost)
        }
    }

    private func assume(_ role: String) -> AWSTransportAnswer {
        let answer = state.withLock { state -> Answer in
            state.assumed.append(role)
            return state.roles[role] ?? .done
        }
        if case .refusal(let code) = answer {
            let text = """
                <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>\(code)</Code>\
                <Message>m</Message></Error><RequestId>r</RequestId></ErrorResponse>
                """
            return .init(status: 403, body: .bytes(Array(text.utf8)))
        }
        let name = role.split(separator: "/").last.map(String.init) ?? ""
        let text = """
            <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser>\
            <AssumedRoleId>AROA:s</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn></AssumedRoleUser>\
            <Credentials><AccessKeyId>ASIA\(name)</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
            <SessionToken>token</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>\
            </AssumeRoleResponse>
            """
        return .init(status: 200, body: .bytes(Array(text.utf8)))
    }
}

/// Grants of a job at retirement: whoever is gone by then, the grant goes, and an answer that was lost is asked for again.
@Suite struct GrantRetirerTests {
    private static let role = "arn:aws:iam::123456789012:role/customer"
    private static let key = "arn:aws:kms:us-west-2:123456789012:key/11111111-1111-1111-1111-111111111111"
    private static let sweeper = "forecastle-sweeper"

    private let authority = ScriptedAuthority()

    private var retirer: KMSGrantRetirer {
        let credentials = AWSCredentials(accessKeyID: "AKIAHERE", secretAccessKey: Redacted("secret"))
        return KMSGrantRetirer(
            roles: RoleSessions(
                principals: ServicePrincipals(region: "us-west-2", account: "999999999999"), authority: "http://127.0.0.1:1",
                process: StaticCredentials(credentials), transport: authority),
            process: "worker-1")
    }

    private func grant(role: String? = role) throws -> GrantToRetire {
        let artifact = ArtifactKey(
            resource: "arn:aws:forecast:us-west-2:123456789012:dataset-import-job/d/j", incarnation: UUID(), keyARN: Self.key,
            roleARN: Self.role)
        let job = JobSpecification(
            job: JobID(), kind: .import, account: "123456789012", resourceARN: artifact.resource,
            incarnation: artifact.incarnation, sourceAddress: "192.0.2.1", userAgent: "tests",
            document: Array(try JSONEncoder().encode(["output": artifact])))
        return GrantToRetire(name: "n", keyARN: Self.key, grantID: "g", token: "t", roleARN: role, job: job)
    }

    @Test func theRoleThatMadeItRetiresIt() async throws {
        #expect(await retirer.retire(try grant()) == .retired)
        #expect(authority.retiredBy == ["customer"])
    }

    @Test(arguments: ["AccessDenied", "NoSuchEntity"])
    func whereRoleOrTrustIsGoneTheRetiringPrincipalDoesSoAtOnce(code: String) async throws {
        authority.assuming(Self.role, .refusal(code))
        #expect(await retirer.retire(try grant()) == .retired)
        #expect(authority.retiredBy == [Self.sweeper])
        #expect(authority.assumed.first == Self.role)
    }

    /// The session was made while there was a role, and goes with it: asking again with it would be in vain until it is renewed.
    @Test(arguments: ["UnrecognizedClientException", "InvalidClientTokenId"])
    func whereTheRoleWentAfterItsSessionWasMadeTheRetiringPrincipalDoesSoAtOnce(code: String) async throws {
        authority.retiring(by: "customer", .refusal(code))
        #expect(await retirer.retire(try grant()) == .retired)
        #expect(authority.retiredBy == ["customer", Self.sweeper])
    }

    /// Our own session's refusal says nothing of the grant.
    @Test func aRefusedSessionOfTheRetiringPrincipalIsTriedAgain() async throws {
        authority.retiring(by: Self.sweeper, .refusal("UnrecognizedClientException"))
        guard case .unreachable = await retirer.retire(try grant(role: nil)) else {
            Issue.record("taken for an answer about the grant")
            return
        }
    }

    /// At AWS a key policy alone does not suffice for RetireGrant.
    @Test func whereTheRoleIsDeniedTheRetiringPrincipalDoesSoAtOnce() async throws {
        authority.retiring(by: "customer", .refusal("AccessDeniedException"))
        #expect(await retirer.retire(try grant()) == .retired)
        #expect(authority.retiredBy == ["customer", Self.sweeper])
    }

    @Test func whereBothAreDeniedItIsSaid() async throws {
        authority.assuming(Self.role, .refusal("AccessDenied"))
        authority.retiring(by: Self.sweeper, .refusal("AccessDeniedException"))
        #expect(await retirer.retire(try grant()) == .denied("m"))
    }

    @Test func anAnswerThatWasLostIsAskedForAgainAndGoneIsDone() async throws {
        let retirer = retirer
        authority.retiring(by: "customer", .lost)
        var outcomes: [RetireOutcome] = []
        // The client may ask again by itself: then it hears at once that the grant is gone.
        for _ in 0..<2 where outcomes.last.map({ if case .unreachable = $0 { true } else { false } }) ?? true {
            outcomes.append(await retirer.retire(try grant()))
        }
        #expect(outcomes.last == .notFound)
        #expect(authority.retiredBy.count >= 2 && Set(authority.retiredBy) == ["customer"])
    }

    @Test func aGrantFoundByItsNameIsRetiredByTheRetiringPrincipalAlone() async throws {
        #expect(await retirer.retire(try grant(role: nil)) == .retired)
        #expect(authority.retiredBy == [Self.sweeper] && !authority.assumed.contains(Self.role))
    }
}

/// Grants of a customer's key, made by the customer's role.
struct GrantMakerTests {
    private static let role = "arn:aws:iam::123456789012:role/customer"
    private static let key = "arn:aws:kms:us-west-2:123456789012:key/11111111-1111-1111-1111-111111111111"

    private let authority = ScriptedAuthority()

    private func create() async throws {
        let credentials = AWSCredentials(accessKeyID: "AKIAHERE", secretAccessKey: Redacted("secret"))
        let maker = GrantMaker(
            roles: RoleSessions(
                principals: ServicePrincipals(region: "us-west-2", account: "999999999999"), authority: "http://127.0.0.1:1",
                process: StaticCredentials(credentials), transport: authority))
        let intent = GrantIntent(
            artifact: "a", keyARN: Self.key, roleARN: Self.role, grantee: "p", operations: ["Decrypt"], encryptionContext: [:])
        _ = try await maker.create(
            intent, name: "n",
            RoleSessions.Purpose(
                sessionName: "s", sourceARN: "arn:aws:forecast:us-west-2:123456789012:predictor/p", sourceAccount: "123456789012",
                sourceAddress: "192.0.2.1", userAgent: "tests"))
    }

    /// A role that was deleted and made again has another session; the one of before is worth nothing for as long as it lasts.
    @Test(arguments: ["UnrecognizedClientException", "InvalidClientTokenId"])
    func whereTheRoleWentAfterItsSessionWasMadeItIsAssumedAnew(code: String) async throws {
        authority.retiring(by: "customer", .refusal(code), .refusal("LimitExceededException"))
        let error = await #expect(throws: AWSError.self) { try await create() }
        #expect(error?.code == "LimitExceededException")
        #expect(authority.assumed == [Self.role, Self.role])
    }

    @Test func whatRefusesTheGrantIsSaidAtOnce() async throws {
        authority.retiring(by: "customer", .refusal("AccessDeniedException"))
        let error = await #expect(throws: AWSError.self) { try await create() }
        #expect(error?.code == "AccessDeniedException")
        #expect(authority.assumed == [Self.role])
    }
}
