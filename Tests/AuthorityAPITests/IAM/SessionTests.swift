import AWSProtocol
import Accounts
import AuthorityAPI
import FoundationEssentials
import Policies
import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct SessionTests {
    static let customer = AuthorityHouse.customer
    static let withMFA =
        #"{"Effect":"Allow","Principal":{"AWS":"\#(customer)"},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericLessThan":{"aws:MultiFactorAuthAge":"600"}}}"#

    func tag(_ key: String, _ value: String, _ number: Int = 1) -> [String: String] {
        ["Tags.member.\(number).Key": key, "Tags.member.\(number).Value": value]
    }

    // MARK: Second factor

    @Test func aRoleThatWantsASecondFactorOpensToARightCodeOnce() async throws {
        try await AuthorityHouse.with { house in
            let now = Date()
            let device = try await Authenticator.enabled(for: "admin", in: house, at: now)
            let role = try await house.role("r", trust: Self.withMFA)
            await #expect(throws: AWSError.self) { try await house.assume(role, as: house.admin) }
            let shown = ["SerialNumber": device.serial, "TokenCode": device.code(at: now)]
            let session = try await house.assume(role, as: house.admin, shown, at: now)
            let principal = try await house.principal(session)
            #expect(principal.mfaAt != nil)
            let who = try await house.sts("GetCallerIdentity", as: session)
            #expect(who.status == 200)
            let record = try #require(try await house.records("GetCallerIdentity").last)
            let attributes = record["userIdentity"]?["sessionContext"]?["attributes"]
            #expect(attributes?["mfaAuthenticated"]?.stringValue == "true")
            // The same code again, a wrong one, and another's device.
            let parameters = ["RoleArn": role.arn.description, "RoleSessionName": "s1"]
            for wrong in [
                shown, ["SerialNumber": device.serial, "TokenCode": "000000"],
                ["SerialNumber": device.serial + "x", "TokenCode": device.code(at: now, 1)],
            ] {
                let answer = try await house.sts("AssumeRole", parameters.merging(wrong) { $1 }, as: house.admin, at: now)
                #expect(answer.status == 403 && answer.code == "AccessDenied")
                #expect(answer["Message"]?.contains("MultiFactorAuthentication failed") == true)
            }
            let half = try await house.sts("AssumeRole", parameters.merging(["TokenCode": "000000"]) { $1 }, as: house.admin)
            #expect(half.code == "ValidationError")
            let text = try await house.records("AssumeRole").map(\.serializedString).joined()
            #expect(!text.contains(device.code(at: now)) && text.contains(device.serial))
        }
    }

    @Test func wrongCodesCountThoughTheCallIsRefused() async throws {
        try await AuthorityHouse.with { house in
            let now = Date()
            let device = try await Authenticator.enabled(for: "admin", in: house, at: now)
            let ask = { (code: String) in
                try await house.sts(
                    "GetSessionToken", ["SerialNumber": device.serial, "TokenCode": code], as: house.admin, at: now)
            }
            for _ in 0..<MFACodeCheck.maximumFailures { #expect(try await ask("000000").code == "AccessDenied") }
            #expect(try await ask(device.code(at: now)).code == "AccessDenied")
        }
    }

    @Test func enablingTakesTwoConsecutiveCodesAndOneUser() async throws {
        try await AuthorityHouse.with { house in
            let now = Date()
            _ = try await house.user("ann")
            let made = try await house.manage("CreateVirtualMFADevice", ["VirtualMFADeviceName": "phone"])
            let serial = try #require(made["SerialNumber"])
            let wrong = [
                "UserName": "ann", "SerialNumber": serial, "AuthenticationCode1": "000000", "AuthenticationCode2": "000001",
            ]
            let refused = try await house.iam("EnableMFADevice", wrong, as: house.admin)
            #expect(refused.status == 403 && refused.code == "InvalidAuthenticationCode")
            let failures = try await house.pool.query("SELECT failures FROM mfa_devices").first?.get("failures", as: Int32.self)
            #expect(failures == 1)
            let record = try #require(try await house.records("EnableMFADevice").last)
            #expect(record["errorCode"]?.stringValue == "InvalidAuthenticationCode")
            #expect(!record.serializedString.contains("000001"))

            let device = try await Authenticator.enabled(for: "admin", in: house, at: now)
            let taken = try await house.iam(
                "EnableMFADevice",
                [
                    "UserName": "ann", "SerialNumber": device.serial, "AuthenticationCode1": device.code(at: now, 0),
                    "AuthenticationCode2": device.code(at: now, 1),
                ], as: house.admin, at: now)
            #expect(taken.status == 409 && taken.code == "EntityAlreadyExists")
            #expect(
                try await house.iam("DeleteVirtualMFADevice", ["SerialNumber": device.serial], as: house.admin).code
                    == "DeleteConflict")
            try await house.manage("DeactivateMFADevice", ["UserName": "admin", "SerialNumber": device.serial])
            try await house.manage("DeleteVirtualMFADevice", ["SerialNumber": device.serial])
        }
    }

    @Test func seedsAreNotInTheTrail() async throws {
        try await AuthorityHouse.with { house in
            let made = try await house.manage("CreateVirtualMFADevice", ["VirtualMFADeviceName": "phone"])
            let seed = try #require(made["Base32StringSeed"])
            let record = try #require(try await house.records("CreateVirtualMFADevice").first).serializedString
            #expect(!record.contains(seed) && !record.contains("QRCodePNG") && record.contains("virtualMFADevice"))
        }
    }

    // MARK: GetSessionToken

    @Test func aSessionOfAUserIsTheUser() async throws {
        try await AuthorityHouse.with { house in
            let session = try house.credentials(in: try await house.sts("GetSessionToken", as: house.admin))
            #expect(session.accessKeyID.hasPrefix("ASIA"))
            let who = try await house.sts("GetCallerIdentity", as: session)
            #expect(who["Arn"] == "arn:aws:iam::\(Self.customer):user/admin" && who["UserId"]?.hasPrefix("AIDA") == true)
            let record = try #require(try await house.records("GetCallerIdentity").last)
            #expect(record["userIdentity"]?["type"]?.stringValue == "IAMUser")
            let attributes = record["userIdentity"]?["sessionContext"]?["attributes"]
            #expect(attributes?["mfaAuthenticated"]?.stringValue == "false")
            // It may assume roles, and nothing else in STS or, without a second factor, in IAM.
            let role = try await house.role("r", trust: STSTests.trustAccount)
            _ = try await house.assume(role, as: session)
            #expect(try await house.sts("GetSessionToken", as: session).code == "AccessDenied")
            #expect(
                try await house.sts("GetAccessKeyInfo", ["AccessKeyId": house.admin.accessKeyID], as: session).code
                    == "AccessDenied")
            let iam = try await house.iam("ListUsers", as: session)
            #expect(iam.status == 403 && iam.code == "InvalidClientTokenId")
            #expect(try await house.mayDo("kms:Encrypt", as: session).isAllowed)
            let roleSession = try await house.assume(role, as: house.admin)
            #expect(try await house.sts("GetSessionToken", as: roleSession).code == "AccessDenied")
        }
    }

    @Test func withASecondFactorASessionMayUseIAMAndSatisfiesConditions() async throws {
        try await AuthorityHouse.with { house in
            let now = Date()
            let condition = #"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#
            let ann = try await house.user("ann", allowing: AuthorityHouse.allow("iam:*", condition))
            let device = try await Authenticator.enabled(for: "ann", in: house, at: now)
            #expect(try await house.iam("ListUsers", as: ann).code == "AccessDenied")
            let shown = ["SerialNumber": device.serial, "TokenCode": device.code(at: now)]
            let session = try house.credentials(in: try await house.sts("GetSessionToken", shown, as: ann, at: now))
            #expect(try await house.iam("ListUsers", as: session).status == 200)
        }
    }

    @Test func aUsersSessionEndsWithItsAccessKey() async throws {
        try await AuthorityHouse.with { house in
            let ann = try await house.user("ann")
            let session = try house.credentials(in: try await house.sts("GetSessionToken", as: ann))
            let key = ["UserName": "ann", "AccessKeyId": ann.accessKeyID]
            try await house.manage("UpdateAccessKey", key.merging(["Status": "Inactive"]) { $1 })
            #expect(try await house.sts("GetCallerIdentity", as: session).code == "InvalidClientTokenId")
            try await house.manage("UpdateAccessKey", key.merging(["Status": "Active"]) { $1 })
            #expect(try await house.sts("GetCallerIdentity", as: session).status == 200)
            try await house.manage("DeleteAccessKey", key)
            #expect(try await house.sts("GetCallerIdentity", as: session).code == "InvalidClientTokenId")
        }
    }

    @Test(arguments: [("899", "ValidationError"), ("900", ""), ("129600", ""), ("129601", "ValidationError")])
    func lifetimesOfUsersSessionsEndAtTheirBounds(seconds: String, code: String) async throws {
        try await AuthorityHouse.with { house in
            let answer = try await house.sts("GetSessionToken", ["DurationSeconds": seconds], as: house.admin)
            #expect(answer.code == code)
        }
    }

    @Test func theAccountOfAnAccessKeyIsTold() async throws {
        try await AuthorityHouse.with { house in
            let ask = { (id: String) in try await house.sts("GetAccessKeyInfo", ["AccessKeyId": id], as: house.admin) }
            #expect(try await ask(house.admin.accessKeyID)["Account"] == Self.customer)
            #expect(try await ask(house.worker.accessKeyID)["Account"] == house.identity.account)
            #expect(try await ask("AKIAAAAAAAAAAAAAAAAA").code == "ValidationError")
            let denied = try await house.sts(
                "GetAccessKeyInfo", ["AccessKeyId": house.admin.accessKeyID], as: house.worker)
            #expect(denied.code == "AccessDenied")
        }
    }

    // MARK: Session tags

    @Test func taggingASessionNeedsItsOwnRight() async throws {
        try await AuthorityHouse.with { house in
            // Of the role's trust policy and, where that hands on to the account, of the caller's policies too.
            let role = try await house.role("r", trust: EffectivePoliciesTests.trustTagging)
            _ = try await house.assume(role, as: house.admin, tag("team", "blue"))
            let ann = try await house.user("ann", allowing: AuthorityHouse.allow("sts:AssumeRole"))
            _ = try await house.assume(role, as: ann)
            await #expect(throws: AWSError.self) { try await house.assume(role, as: ann, tag("team", "blue")) }
            let plain = try await house.role("plain", trust: STSTests.trustAccount)
            _ = try await house.assume(plain, as: house.admin)
            await #expect(throws: AWSError.self) { try await house.assume(plain, as: house.admin, tag("team", "blue")) }
        }
    }

    @Test func trustPoliciesLookAtTheTagsOfTheRequest() async throws {
        try await AuthorityHouse.with { house in
            let role = try await house.role(
                "r",
                trust:
                    #"{"Effect":"Allow","Principal":{"AWS":"\#(Self.customer)"},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"aws:RequestTag/team":"blue"},"ForAllValues:StringEquals":{"aws:TagKeys":["team"],"sts:TransitiveTagKeys":["team"]}}}"#
            )
            _ = try await house.assume(role, as: house.admin, tag("team", "blue"))
            await #expect(throws: AWSError.self) { try await house.assume(role, as: house.admin, tag("team", "red")) }
            await #expect(throws: AWSError.self) {
                try await house.assume(role, as: house.admin, tag("team", "blue").merging(tag("other", "x", 2)) { $1 })
            }
        }
    }

    @Test func transitiveTagsGoThroughAChainAndCannotBeReplaced() async throws {
        try await AuthorityHouse.with { house in
            let tagging = EffectivePoliciesTests.trustTagging
            let (first, second) = (try await house.role("first", trust: tagging), try await house.role("second", trust: tagging))
            for name in ["first", "second"] {
                try await house.manage(
                    "PutRolePolicy",
                    [
                        "RoleName": name, "PolicyName": "p",
                        "PolicyDocument": AuthorityHouse.document(
                            AuthorityHouse.allow("sts:*"),
                            AuthorityHouse.allow("kms:A", #"{"StringEquals":{"aws:PrincipalTag/team":"blue"}}"#),
                            AuthorityHouse.allow("kms:B", #"{"StringEquals":{"aws:PrincipalTag/cost":"1"}}"#)),
                    ])
            }
            let tags = tag("team", "blue").merging(tag("cost", "1", 2)) { $1 }
            let one = try await house.assume(
                first, as: house.admin, tags.merging(["TransitiveTagKeys.member.1": "team"]) { $1 })
            #expect(try await house.mayDo("kms:B", as: one).isAllowed)
            let two = try await house.assume(second, as: one)
            #expect(try await house.mayDo("kms:A", as: two).isAllowed)
            #expect(try await !house.mayDo("kms:B", as: two).isAllowed)
            // And on, and on.
            #expect(try await house.mayDo("kms:A", as: try await house.assume(first, as: two)).isAllowed)
            let replaced = try await house.sts(
                "AssumeRole",
                ["RoleArn": second.arn.description, "RoleSessionName": "s1"].merging(tag("TEAM", "red")) { $1 }, as: one)
            #expect(replaced.code == "InvalidParameterValue")
            let record = try #require(try await house.records("AssumeRole").last)
            #expect(record["requestParameters"]?["incomingTransitiveTags"]?["team"]?.stringValue == "blue")
        }
    }

    @Test func aChainNeedsTheRightToTagWhereTagsComeThroughIt() async throws {
        try await AuthorityHouse.with { house in
            let first = try await house.role("first", trust: EffectivePoliciesTests.trustTagging)
            let second = try await house.role(
                "second",
                trust: #"{"Effect":"Allow","Principal":{"AWS":"\#(AuthorityHouse.arn("role/first"))"},"Action":"sts:AssumeRole"}"#
            )
            let plain = try await house.assume(first, as: house.admin)
            _ = try await house.assume(second, as: plain)
            let tagged = try await house.assume(
                first, as: house.admin, tag("team", "blue").merging(["TransitiveTagKeys.member.1": "team"]) { $1 })
            await #expect(throws: AWSError.self) { try await house.assume(second, as: tagged) }
        }
    }

    @Test(arguments: [
        (["TransitiveTagKeys.member.1": "absent"], "InvalidParameterValue"),
        (["Tags.member.1.Key": "aws:x", "Tags.member.1.Value": ""], "ValidationError"),
        (
            ["Tags.member.1.Key": "a", "Tags.member.1.Value": "1", "Tags.member.2.Key": "A", "Tags.member.2.Value": "2"],
            "InvalidInput"
        ),
        (["PolicyArns.member.1.arn": "arn:aws:iam::123456789012:policy/absent"], "ValidationError"),
        (["ProvidedContexts.member.1.ProviderArn": "x"], "ValidationError"),
    ])
    func parametersFollowTheirRules(parameters: [String: String], code: String) async throws {
        try await AuthorityHouse.with { house in
            let role = try await house.role("r", trust: STSTests.trustAccount)
            let whole = ["RoleArn": role.arn.description, "RoleSessionName": "s1"].merging(parameters) { $1 }
            #expect(try await house.sts("AssumeRole", whole, as: house.admin).code == code)
            let record = try #require(try await house.records("AssumeRole").last)
            #expect(record["errorCode"]?.stringValue == code)
        }
    }

    @Test func policiesAndTagsShareABoundedSpace() async throws {
        try await AuthorityHouse.with { house in
            let role = try await house.role("r", trust: EffectivePoliciesTests.trustTagging)
            let ask = { (bytes: Int) in
                var parameters = ["RoleArn": role.arn.description, "RoleSessionName": "s1"]
                // Keys of one byte or two, and values of 256 at most.
                var (left, number) = (bytes, 1)
                while left > 0 {
                    let key = String(UnicodeScalar(UInt8(64 + number)))
                    let value = String(repeating: "v", count: min(256, left - 1))
                    parameters.merge(tag(key, value, number)) { $1 }
                    left -= 1 + value.count
                    number += 1
                }
                return try await house.sts("AssumeRole", parameters, as: house.admin)
            }
            #expect(try await ask(4096)["PackedPolicySize"] == "100")
            #expect(try await ask(4095)["PackedPolicySize"] == "100")
            let over = try await ask(4097)
            #expect(over.status == 400 && over.code == "PackedPolicyTooLarge")
            #expect(try await ask(41)["PackedPolicySize"] == "2")
        }
    }
}
