import AWSProtocol
import Accounts
import AuthorityAPI
import FoundationEssentials
import PostgresTesting
import Secrets
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct STSTests {
    static let customer = AuthorityHouse.customer
    static let trustAccount = #"{"Effect":"Allow","Principal":{"AWS":"\#(customer)"},"Action":"sts:AssumeRole"}"#
    static let trustForecast =
        #"{"Effect":"Allow","Principal":{"Service":"forecast.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"\#(customer)"},"ArnLike":{"aws:SourceArn":"arn:aws:forecast:us-west-2:\#(customer):*"}}}"#
    static let source = [
        ("x-amz-source-arn", "arn:aws:forecast:us-west-2:\(customer):dataset/d"), ("x-amz-source-account", customer),
        ("x-amz-forecastle-source-ip", "203.0.113.9"), ("x-amz-forecastle-user-agent", "Boto3/1.43"),
    ]

    @Test func aCallerLearnsWhoItIs() async throws {
        try await AuthorityHouse.with { house in
            let answer = try await house.sts("GetCallerIdentity", as: house.admin)
            #expect(answer.status == 200 && answer["Account"] == Self.customer)
            #expect(answer["Arn"] == "arn:aws:iam::\(Self.customer):user/admin")
            #expect(answer["RequestId"] == "11111111-2222-3333-4444-555555555555")
            #expect(answer.text.hasPrefix(#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">"#))
            #expect(try await house.records("GetCallerIdentity").count == 1)
        }
    }

    @Test func failedSignaturesAreRefusedUnderTheQueryNamesAndLeaveNoRecord() async throws {
        try await AuthorityHouse.with { house in
            let wrong = AWSCredentials(accessKeyID: house.admin.accessKeyID, secretAccessKey: Redacted("wrong"))
            let answer = try await house.sts("GetCallerIdentity", as: wrong)
            #expect(answer.status == 403 && answer.code == "SignatureDoesNotMatch")
            let unknown = AWSCredentials(accessKeyID: "AKIAAAAAAAAAAAAAAAAA", secretAccessKey: Redacted("x"))
            #expect(try await house.sts("GetCallerIdentity", as: unknown).code == "InvalidClientTokenId")
            let bare = try await house.sts("GetCallerIdentity", as: house.admin) {
                $0.headers.removeAll { $0.0 == "Authorization" }
            }
            #expect(bare.status == 403 && bare.code == "MissingAuthenticationToken")
            let altered = try await house.sts("GetCallerIdentity", as: house.admin) {
                $0.body = Array("Action=AssumeRole&Version=2011-06-15".utf8)
            }
            #expect(altered.code == "SignatureDoesNotMatch")
            #expect(try await house.records("GetCallerIdentity").isEmpty)
        }
    }

    @Test func unknownActionsAndVersionsAreRefused() async throws {
        try await AuthorityHouse.with { house in
            let answer = try await house.sts("GetFederationToken", as: house.admin)
            #expect(answer.status == 400 && answer.code == "InvalidAction")
        }
    }

    @Test func aPresignedCallOfGetCallerIdentityWorks() async throws {
        try await AuthorityHouse.with { house in
            var request = AWSRequest(
                method: "GET", rawQuery: "Action=GetCallerIdentity&Version=2011-06-15", headers: [("Host", "127.0.0.1")],
                receivedAt: Date())
            try SigV4Signer(credentials: house.admin, region: AuthorityHouse.region, service: "sts")
                .presign(&request, at: Date(), seconds: 60)
            let answer = await Answer(house.handler.respond(to: request, requestID: "r"))
            #expect(answer["Account"] == Self.customer)
        }
    }

    @Test func aSessionIsMadeWhereTrustAndPolicyAllow() async throws {
        try await AuthorityHouse.with { house in
            let role = try await house.role("r", trust: Self.trustAccount)
            let session = try await house.assume(role, as: house.admin)
            let who = try await house.sts("GetCallerIdentity", as: session)
            #expect(who["Arn"] == "arn:aws:sts::\(Self.customer):assumed-role/r/s1")
            #expect(who["UserId"] == "\(role.roleID):s1")
            // Trust in the account only delegates: a user without the right has none.
            let other = try await house.user("other")
            let denied = try await house.sts("AssumeRole", ["RoleArn": role.arn.description, "RoleSessionName": "s1"], as: other)
            #expect(denied.status == 403 && denied.code == "AccessDenied")
            let absent = try await house.sts(
                "AssumeRole", ["RoleArn": "arn:aws:iam::\(Self.customer):role/absent", "RoleSessionName": "s1"], as: other)
            #expect(absent["Message"] == denied["Message"]?.replacing("role/r", with: "role/absent"))
            let records = try await house.records("AssumeRole")
            #expect(records.count == 3)
            #expect(records[1]["errorCode"]?.stringValue == "AccessDenied" && records[1]["responseElements"] == .null)
        }
    }

    @Test func theTrailHoldsNeitherSecretNorToken() async throws {
        try await AuthorityHouse.with { house in
            let role = try await house.role("r", trust: Self.trustAccount)
            let session = try await house.assume(role, as: house.admin)
            let record = try #require(try await house.records("AssumeRole").first)
            let text = record.serializedString
            #expect(!text.contains(session.secretAccessKey.revealed) && !text.contains(session.sessionToken!))
            #expect(record["responseElements"]?["credentials"]?["accessKeyId"]?.stringValue == session.accessKeyID)
            #expect(record["requestParameters"]?["roleArn"]?.stringValue == role.arn.description)
            #expect(record["resources"]?.arrayValue?.first?["type"]?.stringValue == "AWS::IAM::Role")
            #expect(record["userIdentity"]?["type"]?.stringValue == "IAMUser")
        }
    }

    @Test(arguments: [
        (["DurationSeconds": "899"], "ValidationError"), (["DurationSeconds": "43201"], "ValidationError"),
        (["DurationSeconds": "3601"], "ValidationError"), (["DurationSeconds": "x"], "MalformedQueryString"),
        (["RoleSessionName": "a"], "ValidationError"), (["RoleSessionName": "a b"], "ValidationError"),
        (["RoleSessionName": String(repeating: "a", count: 65)], "ValidationError"),
        (["RoleArn": "arn:aws:iam"], "ValidationError"), (["Policy": "{}"], "MalformedPolicyDocument"),
        (["Tags.member.1.Key": "a"], "ValidationError"), (["SourceIdentity": "aws:x"], "ValidationError"),
        (["SourceIdentity": "alice"], "AccessDenied"),
    ])
    func parametersFollowTheirRules(parameters: [String: String], code: String) async throws {
        try await AuthorityHouse.with { house in
            let role = try await house.role("r", trust: Self.trustAccount)
            let whole = ["RoleArn": role.arn.description, "RoleSessionName": "s1"].merging(parameters) { $1 }
            #expect(try await house.sts("AssumeRole", whole, as: house.admin).code == code)
        }
    }

    @Test func lifetimesEndAtTheirBounds() async throws {
        try await AuthorityHouse.with { house in
            let long = try await house.role("long", trust: Self.trustAccount, seconds: 43_200)
            for seconds in ["900", "43200"] { _ = try await house.assume(long, as: house.admin, ["DurationSeconds": seconds]) }
            // From one role to another: an hour at most.
            try await house.accounts.putPolicy(
                "p", document: #"{"Statement":{"Effect":"Allow","Action":"sts:*","Resource":"*"}}"#, of: .role("long"),
                account: Self.customer, by: .commandLine)
            let session = try await house.assume(long, as: house.admin)
            _ = try await house.assume(long, as: session, ["DurationSeconds": "3600"])
            await #expect(throws: AWSError.self) { try await house.assume(long, as: session, ["DurationSeconds": "3601"]) }
        }
    }

    @Test func anExternalIDOpensTheRoleForAnotherAccount() async throws {
        try await AuthorityHouse.with { house in
            let other = "210987654321"
            try await house.accounts.createAccount(other, name: "other", by: .commandLine)
            let role = try await house.role(
                "r",
                trust:
                    #"{"Effect":"Allow","Principal":{"AWS":"\#(Self.customer)"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"e-1"}}}"#,
                account: other)
            _ = try await house.assume(role, as: house.admin, ["ExternalId": "e-1"])
            await #expect(throws: AWSError.self) { try await house.assume(role, as: house.admin, ["ExternalId": "e-2"]) }
            await #expect(throws: AWSError.self) { try await house.assume(role, as: house.admin) }
            // The owner sees the foreign caller by account and id; what was refused stays in the caller's trail.
            let owner = try await house.records("AssumeRole", account: other)
            #expect(owner.count == 1 && owner[0]["userIdentity"]?["type"]?.stringValue == "AWSAccount")
            let own = try await house.records("AssumeRole")
            #expect(own.count == 3 && own[0]["sharedEventID"] == owner[0]["sharedEventID"])
        }
    }

    @Test func aSessionPolicyNarrowsTheSession() async throws {
        try await AuthorityHouse.with { house in
            let role = try await house.role("r", trust: Self.trustAccount)
            try await house.accounts.putPolicy(
                "p", document: #"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#, of: .role("r"),
                account: Self.customer, by: .commandLine)
            let narrow = #"{"Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}}"#
            let session = try await house.assume(role, as: house.admin, ["Policy": narrow])
            await #expect(throws: AWSError.self) { try await house.assume(role, as: session) }
            let wide = try await house.assume(role, as: house.admin)
            _ = try await house.assume(role, as: wide)
        }
    }

    // MARK: The service

    @Test func theServiceIsTrustedByNameForItsResources() async throws {
        try await AuthorityHouse.with { house in
            let role = try await house.role("Forecast", trust: Self.trustForecast)
            let session = try await house.assume(role, as: house.worker, headers: Self.source)
            #expect(try await house.sts("GetCallerIdentity", as: session).status == 200)
            let who = try #require(try await house.records("GetCallerIdentity").first)
            #expect(who["sourceIPAddress"]?.stringValue == "203.0.113.9" && who["userAgent"]?.stringValue == "Boto3/1.43")
            let record = try #require(try await house.records("AssumeRole").first)
            #expect(record["userIdentity"]?.serializedString == #"{"type":"AWSService","invokedBy":"forecast.amazonaws.com"}"#)
            #expect(record["sourceIPAddress"]?.stringValue == "forecast.amazonaws.com")
            #expect(try await house.records("AssumeRole", account: house.identity.account).isEmpty)
        }
    }

    @Test func theServiceIsNobodySpecialWithoutASource() async throws {
        try await AuthorityHouse.with { house in
            let role = try await house.role("Forecast", trust: Self.trustForecast)
            await #expect(throws: AWSError.self) { try await house.assume(role, as: house.worker) }
            // Nor does a trust policy that names its user but not the service let it in as the service.
            let named = try await house.role(
                "Named",
                trust:
                    #"{"Effect":"Allow","Principal":{"AWS":"\#(house.identity.userARN("forecastle-worker"))"},"Action":"sts:AssumeRole"}"#
            )
            await #expect(throws: AWSError.self) { try await house.assume(named, as: house.worker, headers: Self.source) }
        }
    }

    @Test func nobodyElseMaySayForWhomItActs() async throws {
        try await AuthorityHouse.with { house in
            let role = try await house.role("r", trust: Self.trustAccount)
            for header in Self.source {
                let answer = try await house.sts(
                    "AssumeRole", ["RoleArn": role.arn.description, "RoleSessionName": "s1"], as: house.admin, headers: [header])
                #expect(answer.code == "AccessDenied", "\(header.0)")
            }
            // The operator is a person of the service's account, not the service.
            await #expect(throws: AWSError.self) {
                try await house.assume(role, as: house.users["forecastle-operator"]!, headers: Self.source)
            }
            #expect(try await house.records("AssumeRole").allSatisfy { $0["errorCode"]?.stringValue == "AccessDenied" })
        }
    }

    @Test func theRolesAccountMustBeTheSources() async throws {
        try await AuthorityHouse.with { house in
            let other = "210987654321"
            try await house.accounts.createAccount(other, name: "other", by: .commandLine)
            // A trust policy without conditions: the deputy must not be confused even so.
            let open = #"{"Effect":"Allow","Principal":{"Service":"forecast.amazonaws.com"},"Action":"sts:AssumeRole"}"#
            let role = try await house.role("open", trust: open, account: other)
            await #expect(throws: AWSError.self) { try await house.assume(role, as: house.worker, headers: Self.source) }
            var half = Self.source
            half[1].1 = other
            await #expect(throws: AWSError.self) { try await house.assume(role, as: house.worker, headers: half) }
            await #expect(throws: AWSError.self) { try await house.assume(role, as: house.worker, headers: [Self.source[0]]) }
        }
    }

    @Test func theServiceAssumesItsOwnRoles() async throws {
        try await AuthorityHouse.with { house in
            let role = { try await house.accounts.role($0, account: house.identity.account)! }
            _ = try await house.assume(try await role("forecastle-worker"), as: house.worker, ["RoleSessionName": "job-1"])
            _ = try await house.assume(try await role("forecastle-sweeper"), as: house.worker)
            _ = try await house.assume(try await role("forecastle-api"), as: house.api)
            let worker = try await role("forecastle-worker")
            await #expect(throws: AWSError.self) { try await house.assume(worker, as: house.api) }
            await #expect(throws: AWSError.self) { try await house.assume(worker, as: house.admin) }
        }
    }
}
