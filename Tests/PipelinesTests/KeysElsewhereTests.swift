import AWSClients
import AWSProtocol
import Foundation
import Jobs
import Pipelines
import Postgres
import PostgresTesting
import Secrets
import Synchronization
import Testing

/// Answers STS and KMS at two addresses and remembers what was asked where.
private final class TwoServers: AWSTransport {
    static let authority = "http://127.0.0.1:1"
    static let sts = "http://127.0.0.1:2"
    static let kms = "http://127.0.0.1:3"

    struct Call {
        var endpoint: String
        /// Operation of KMS; `AssumeRole` for STS.
        var operation: String
        var headers: [String: String]
        var json: JSONObject
        var parameters: QueryParameters
        var accessKeyID: String
    }

    private let made = Mutex<[Call]>([])
    var calls: [Call] { made.withLock { $0 } }

    func send(_ call: AWSTransportCall) async throws -> AWSTransportAnswer {
        let headers = Dictionary(call.request.headers.map { ($0.0.lowercased(), $0.1) }) { $1 }
        let operation = headers["x-amz-target"].map { String($0.split(separator: ".").last ?? "") } ?? "AssumeRole"
        let isJSON = headers["x-amz-target"] != nil
        let credential = try #require(headers["authorization"]?.firstMatch(of: /Credential=([^\/]+)/))
        made.withLock {
            $0.append(
                Call(
                    endpoint: call.endpoint, operation: operation, headers: headers,
                    json: (isJSON ? try? JSONObject.parseBody(call.request.body) : nil) ?? [:],
                    parameters: (isJSON ? nil : try? QueryParameters(form: call.request.body)) ?? QueryParameters([:]),
                    accessKeyID: String(credential.output.1)))
        }
        let text =
            switch operation {
            case "AssumeRole": assumed(at: call.endpoint)
            case "ListRetirableGrants": grants(at: call.endpoint)
            case "CreateGrant": #"{"GrantId":"g","GrantToken":"t"}"#
            default: "{}"
            }
        return AWSTransportAnswer(status: 200, body: .bytes(Array(text.utf8)))
    }

    private func assumed(at endpoint: String) -> String {
        """
        <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser>\
        <AssumedRoleId>AROA:s</AssumedRoleId><Arn>arn:aws:sts::444455556666:assumed-role/r/s</Arn></AssumedRoleUser>\
        <Credentials><AccessKeyId>ASIA\(endpoint == Self.sts ? "ELSEWHERE" : "AUTHORITY")</AccessKeyId>\
        <SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>\
        <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>
        """
    }

    private func grants(at endpoint: String) -> String {
        let name = endpoint == Self.kms ? "elsewhere" : "authority"
        return #"{"Grants":[{"KeyId":"k-\#(name)","GrantId":"g-\#(name)","Name":"job/\#(name)/a"}],"Truncated":false}"#
    }
}

@Suite struct KeysElsewhereTests {
    static let customersKey = "arn:aws:kms:us-west-2:444455556666:key/11111111-1111-1111-1111-111111111111"
    static let defaultKey = "arn:aws:kms:us-west-2:999999999999:key/22222222-2222-2222-2222-222222222222"
    static let customersRole = "arn:aws:iam::444455556666:role/customer"
    static let purpose = RoleSessions.Purpose(
        sessionName: "forecast-1", sourceARN: "arn:aws:forecast:us-west-2:123456789012:dataset/d",
        sourceAccount: "123456789012", sourceAddress: "203.0.113.9", userAgent: "boto3")

    private func sessions(_ servers: TwoServers) throws -> RoleSessions {
        func credentials(_ id: String) -> StaticCredentials {
            StaticCredentials(AWSCredentials(accessKeyID: id, secretAccessKey: Redacted("secret")))
        }
        func role(_ name: String) throws -> ARN { try #require(ARN("arn:aws:iam::777788889999:role/forecastle/\(name)")) }
        return RoleSessions(
            principals: ServicePrincipals(region: "us-west-2", account: "999999999999"), authority: TwoServers.authority,
            process: credentials("AKIAHERE"), transport: servers,
            elsewhere: KeysElsewhere(
                kmsEndpoint: TwoServers.kms, stsEndpoint: TwoServers.sts,
                principals: ServicePrincipals(
                    region: "us-west-2", worker: try role("worker"), reader: try role("reader"), sweeper: try role("sweeper")),
                process: credentials("AKIATHERE"), externalID: { "external-\($0)" }))
    }

    private func artifact(_ key: String, _ role: String?) -> ArtifactKey {
        ArtifactKey(
            resource: "arn:aws:forecast:us-west-2:123456789012:dataset-import-job/d/j", incarnation: UUID(), keyARN: key,
            roleARN: role)
    }

    private func record(_ intent: GrantIntent) throws -> CreateGrantRequest {
        GrantMaker(roles: try sessions(TwoServers())).request(intent, name: "n")
    }

    @Test func customersRolesAreAssumedThereWithAnExternalIDAndNothingOfOurOwn() async throws {
        let servers = TwoServers()
        let kms = try await sessions(servers).kms(role: Self.customersRole, Self.purpose)
        _ = try await kms.createGrant(
            CreateGrantRequest(keyID: Self.customersKey, granteePrincipal: "p", operations: ["Decrypt"]))
        #expect(servers.calls.map(\.endpoint) == [TwoServers.sts, TwoServers.kms])
        let assume = try #require(servers.calls.first)
        #expect(assume.accessKeyID == "AKIATHERE" && assume.parameters["RoleArn"] == Self.customersRole)
        #expect(assume.parameters["ExternalId"] == "external-123456789012")
        #expect(!assume.headers.keys.contains { $0.hasPrefix("x-amz-source") || $0.hasPrefix("x-amz-forecastle") })
        #expect(servers.calls[1].accessKeyID == "ASIAELSEWHERE")
    }

    @Test func granteesAndRetiringPrincipalAreThoseOfTheServerOfTheKey() throws {
        let roles = try sessions(TwoServers())
        let there = GrantTerms(artifact: artifact(Self.customersKey, Self.customersRole), use: .write, account: "123456789012")
            .intent(.worker, session: "job-1", roles)
        #expect(there.grantee == "arn:aws:sts::777788889999:assumed-role/worker/job-1")
        #expect(try record(there).retiringPrincipal == "arn:aws:iam::777788889999:role/forecastle/sweeper")
        let here = GrantTerms(artifact: artifact(Self.defaultKey, nil), use: .read, account: "123456789012")
            .intent(.reader, session: "api-1", roles)
        #expect(here.grantee == "arn:aws:sts::999999999999:assumed-role/forecastle-api/api-1")
        #expect(try record(here).retiringPrincipal == "arn:aws:iam::999999999999:role/forecastle-sweeper")
    }

    @Test func defaultKeysStayWithTheAuthority() async throws {
        let servers = TwoServers()
        let roles = try sessions(servers)
        let kms = roles.kms(.worker, session: "job-1", at: roles.place(roleARN: nil))
        try await kms.retireGrant(keyID: Self.defaultKey, grantID: "g")
        #expect(servers.calls.map(\.endpoint) == [TwoServers.authority, TwoServers.authority])
        #expect(servers.calls[0].parameters["RoleArn"] == "arn:aws:iam::999999999999:role/forecastle-worker")
        #expect(servers.calls[0].parameters["ExternalId"] == nil && servers.calls[0].accessKeyID == "AKIAHERE")
    }

    @Test func grantsAreListedAtBothServers() async throws {
        let servers = TwoServers()
        let retirer = KMSGrantRetirer(roles: try sessions(servers), process: "worker-1")
        let first = try await retirer.retirableGrants(after: nil)
        let second = try await retirer.retirableGrants(after: first.next)
        #expect(first.next != nil)
        #expect((first.grants + second.grants).map(\.name) == ["job/authority/a", "job/elsewhere/a"])
        #expect(second.next == nil)
        let listings = servers.calls.filter { $0.operation == "ListRetirableGrants" }
        #expect(listings.map(\.endpoint) == [TwoServers.authority, TwoServers.kms])
        #expect(
            listings.map { $0.json["RetiringPrincipal"]?.stringValue } == [
                "arn:aws:iam::999999999999:role/forecastle-sweeper", "arn:aws:iam::777788889999:role/forecastle/sweeper",
            ])
        // A server's own marker comes back to it alone.
        _ = try await retirer.retirableGrants(after: "elsewhere m 1")
        #expect(servers.calls.last?.endpoint == TwoServers.kms && servers.calls.last?.json["Marker"]?.stringValue == "m 1")
    }

    @Test func aGrantThereIsRetiredByItsTokenAndByItsIDWhereNoneIsKnown() async throws {
        let servers = TwoServers()
        let retirer = KMSGrantRetirer(roles: try sessions(servers), process: "worker-1")
        for (key, token) in [(Self.customersKey, "t"), (Self.customersKey, nil), (Self.defaultKey, "t")] {
            let grant = GrantToRetire(name: "n", keyARN: key, grantID: "g", token: token, roleARN: nil, job: nil)
            #expect(await retirer.retire(grant) == .retired)
        }
        let retired = servers.calls.filter { $0.operation == "RetireGrant" }
        #expect(retired.map(\.endpoint) == [TwoServers.kms, TwoServers.kms, TwoServers.authority])
        #expect(retired.map { $0.json["GrantToken"]?.stringValue } == ["t", nil, nil])
        #expect(retired.map { $0.json["GrantId"]?.stringValue } == [nil, "g", "g"])
    }

    /// Case 53: rows of grants can be edited, the signed document cannot.
    @Test(arguments: [
        (customersRole, customersKey, customersRole), ("arn:aws:iam::444455556666:role/another", customersKey, nil),
        (customersRole, customersKey + "0", nil),
    ])
    func aRoleThatOnlyARowNamesIsNotAssumed(role: String, key: String, assumed: String?) async throws {
        let servers = TwoServers()
        let retirer = KMSGrantRetirer(roles: try sessions(servers), process: "worker-1")
        let document = try JSONEncoder().encode(["inputs": [artifact(Self.customersKey, Self.customersRole)]])
        let job = JobSpecification(
            job: JobID(rawValue: UUID()), kind: .train, account: "123456789012",
            resourceARN: "arn:aws:forecast:us-west-2:123456789012:predictor/p", incarnation: UUID(), sourceAddress: "",
            userAgent: "", document: Array(document))
        let grant = GrantToRetire(name: "n", keyARN: key, grantID: "g", token: nil, roleARN: role, job: job)
        #expect(await retirer.retire(grant) == .retired)
        let roles = servers.calls.compactMap { $0.parameters["RoleArn"] }
        #expect(roles == [assumed ?? "arn:aws:iam::777788889999:role/forecastle/sweeper"])
    }
}

@Suite(.enabled(if: TestDatabase.isAvailable)) struct ExternalIDsTests {
    @Test func anAccountHasOneAndKeepsIt() async throws {
        try await TestDatabase.with(migrations: .jobs) { pool in
            let ids = ExternalIDs(pool: pool)
            let made = try await withThrowingTaskGroup(of: String.self) { group in
                // As of several processes: nothing is known to any of them.
                for _ in 0..<8 { group.addTask { try await ExternalIDs(pool: pool).externalID(of: "123456789012") } }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(made.count == 1)
            #expect(try await ids.externalID(of: "123456789012") == made.first)
            #expect(try await ids.externalID(of: "210987654321") != made.first)
        }
    }
}
