import AWSProtocol
import Accounts
import AuthorityAPI
import FoundationEssentials
import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct IAMServiceTests {
    @Test func everyCallLeavesARecordInTheCallersAccount() async throws {
        try await AuthorityHouse.with { house in
            try await house.manage(
                "CreateUser", ["UserName": "ann", "Path": "/p/", "Tags.member.1.Key": "a", "Tags.member.1.Value": "b"])
            let made = try #require(try await house.records("CreateUser").last)
            #expect(made["eventSource"]?.stringValue == "iam.amazonaws.com" && made["readOnly"]?.boolValue == false)
            #expect(made["requestParameters"]?["path"]?.stringValue == "/p/")
            #expect(made["requestParameters"]?["tags"]?.serializedString == #"[{"key":"a","value":"b"}]"#)
            #expect(made["responseElements"]?["user"]?["arn"]?.stringValue == AuthorityHouse.arn("user/p/ann"))
            #expect(made["userIdentity"]?["userName"]?.stringValue == "admin")

            _ = try await house.iam("GetUser", ["UserName": "ann"], as: house.admin)
            let read = try #require(try await house.records("GetUser").last)
            #expect(read["readOnly"]?.boolValue == true && read["responseElements"] == .null)

            #expect(try await house.iam("DeleteUser", ["UserName": "nobody"], as: house.admin).code == "NoSuchEntity")
            #expect(try await house.records("DeleteUser").last?["errorCode"]?.stringValue == "NoSuchEntity")
            _ = try await house.iam("DeleteUser", ["UserName": "ann", "Force": "true"], as: house.admin)
            #expect(try await house.records("DeleteUser").last?["errorCode"]?.stringValue == "ValidationError")

            let key = try await house.manage("CreateAccessKey", ["UserName": "ann"])
            let secret = try #require(key["SecretAccessKey"])
            let record = try #require(try await house.records("CreateAccessKey").last)
            #expect(record["responseElements"]?["accessKey"]?["accessKeyId"]?.stringValue == key["AccessKeyId"])
            #expect(!record.serializedString.contains(secret))
        }
    }

    @Test func aRefusedChangeChangesNothing() async throws {
        try await AuthorityHouse.with { house in
            let ann = try await house.user("ann", allowing: AuthorityHouse.allow("iam:Get*"))
            let refused = try await house.iam("CreateUser", ["UserName": "ben"], as: ann)
            #expect(refused.status == 403 && refused.code == "AccessDenied")
            #expect(
                refused["Message"]
                    == "User: \(AuthorityHouse.arn("user/ann")) is not authorized to perform: iam:CreateUser on resource: "
                    + "\(AuthorityHouse.arn("user/ben")) because no identity-based policy allows the iam:CreateUser action")
            #expect(try await house.records("CreateUser").last?["errorCode"]?.stringValue == "AccessDenied")
            #expect(try await house.iam("GetUser", ["UserName": "ben"], as: house.admin).code == "NoSuchEntity")
        }
    }

    @Test func rightsAreForTheResourcesThatTheyName() async throws {
        try await AuthorityHouse.with { house in
            let ann = try await house.user(
                "ann", allowing: AuthorityHouse.allow("iam:*", on: AuthorityHouse.arn("user/team/*")))
            #expect(try await house.iam("CreateUser", ["UserName": "ben"], as: ann).code == "AccessDenied")
            #expect(try await house.iam("CreateUser", ["UserName": "ben", "Path": "/team/"], as: ann).status == 200)
            // Neither into the path nor out of it without the right on both.
            let move = ["UserName": "ben", "NewPath": "/"]
            #expect(try await house.iam("UpdateUser", move, as: ann).code == "AccessDenied")
            #expect(try await house.iam("UpdateUser", ["UserName": "ann", "NewPath": "/team/"], as: ann).code == "AccessDenied")
            #expect(try await house.iam("UpdateUser", ["UserName": "ben", "NewUserName": "Ben2"], as: ann).status == 200)
            // Absent and denied read alike for who may not ask.
            let denied = try await house.iam("GetUser", ["UserName": "admin"], as: ann)
            let absent = try await house.iam("GetUser", ["UserName": "absent"], as: ann)
            #expect(absent["Message"] == denied["Message"]?.replacing("user/admin", with: "user/absent"))
        }
    }

    @Test func makingSomethingWithTagsNeedsTheRightToTag() async throws {
        try await AuthorityHouse.with { house in
            let ann = try await house.user("ann", allowing: AuthorityHouse.allow("iam:Create*"))
            let tags = ["Tags.member.1.Key": "team", "Tags.member.1.Value": "blue"]
            for (operation, name) in [("CreateUser", "UserName"), ("CreateVirtualMFADevice", "VirtualMFADeviceName")] {
                let tagged = try await house.iam(operation, tags.merging([name: "ben"]) { $1 }, as: ann)
                #expect(tagged.code == "AccessDenied" && tagged["Message"]?.contains("iam:Tag") == true)
                #expect(try await house.iam(operation, [name: "ben"], as: ann).status == 200)
            }
            // A condition on the tags of the request is one on both.
            let condition = #"{"StringEquals":{"aws:RequestTag/team":"blue"}}"#
            let cas = try await house.user("cas", allowing: AuthorityHouse.allow("iam:*User", condition))
            #expect(try await house.iam("CreateUser", tags.merging(["UserName": "dan"]) { $1 }, as: cas).status == 200)
            #expect(try await house.iam("CreateUser", ["UserName": "eve"], as: cas).code == "AccessDenied")
        }
    }

    @Test func whoDelegatesByBoundaryCannotBeOutdone() async throws {
        try await AuthorityHouse.with { house in
            let boundary = try await house.managedPolicy("b", AuthorityHouse.allow("kms:*"))
            let all = try await house.managedPolicy("all", AuthorityHouse.allow("*"))
            let condition = #"{"StringEquals":{"iam:PermissionsBoundary":"\#(boundary)"}}"#
            let ann = try await house.user(
                "ann", allowing: AuthorityHouse.allow("iam:*User*", on: AuthorityHouse.arn("user/*"), condition))
            #expect(try await house.iam("CreateUser", ["UserName": "ben"], as: ann).code == "AccessDenied")
            #expect(
                try await house.iam("CreateUser", ["UserName": "ben", "PermissionsBoundary": all], as: ann).code == "AccessDenied"
            )
            #expect(
                try await house.iam("CreateUser", ["UserName": "ben", "PermissionsBoundary": boundary], as: ann).status == 200)
            // A policy may be attached to who is bounded, and to nobody else; the boundary stays.
            #expect(try await house.iam("AttachUserPolicy", ["UserName": "ben", "PolicyArn": all], as: ann).status == 200)
            #expect(
                try await house.iam("AttachUserPolicy", ["UserName": "admin", "PolicyArn": all], as: ann).code == "AccessDenied")
            let other = ["UserName": "ben", "PermissionsBoundary": all]
            #expect(try await house.iam("PutUserPermissionsBoundary", other, as: ann).code == "AccessDenied")
        }
    }

    @Test func nothingOfAnotherAccountIsReached() async throws {
        try await AuthorityHouse.with { house in
            let other = "210987654321"
            try await house.accounts.createAccount(other, name: "other", by: .commandLine)
            let foreign = "arn:aws:iam::\(other):policy/p"
            #expect(try await house.iam("GetPolicy", ["PolicyArn": foreign], as: house.admin).code == "AccessDenied")
            let attach = ["UserName": "admin", "PolicyArn": foreign]
            #expect(try await house.iam("AttachUserPolicy", attach, as: house.admin).code == "NoSuchEntity")
            #expect(
                try await house.iam("GetAccessKeyLastUsed", ["AccessKeyId": house.worker.accessKeyID], as: house.admin).code
                    == "AccessDenied")
        }
    }

    @Test func quotasHoldAtTheirBounds() async throws {
        try await AuthorityHouse.with { house in
            _ = try await house.user("ann")
            for number in 1...AccountsStore.maximumAttachments {
                let policy = try await house.managedPolicy("m\(number)", AuthorityHouse.allow("kms:A"))
                try await house.manage("AttachUserPolicy", ["UserName": "ann", "PolicyArn": policy])
                try await house.manage("CreateGroup", ["GroupName": "g\(number)"])
                try await house.manage("AddUserToGroup", ["UserName": "ann", "GroupName": "g\(number)"])
            }
            let policy = try await house.managedPolicy("more", AuthorityHouse.allow("kms:A"))
            try await house.manage("CreateGroup", ["GroupName": "more"])
            let over = try await house.iam("AttachUserPolicy", ["UserName": "ann", "PolicyArn": policy], as: house.admin)
            #expect(over.status == 409 && over.code == "LimitExceeded")
            let group = ["UserName": "ann", "GroupName": "more"]
            #expect(try await house.iam("AddUserToGroup", group, as: house.admin).code == "LimitExceeded")
            // What is there already is no more.
            try await house.manage("AddUserToGroup", ["UserName": "ann", "GroupName": "g1"])
            try await house.manage("AttachUserPolicy", ["UserName": "ann", "PolicyArn": AuthorityHouse.arn("policy/m1")])

            for number in 2...AccountsStore.maximumPolicyVersions {
                let version = try await house.manage(
                    "CreatePolicyVersion",
                    ["PolicyArn": policy, "PolicyDocument": AuthorityHouse.document(AuthorityHouse.allow("kms:B"))])
                #expect(version["VersionId"] == "v\(number)")
            }
            let version = ["PolicyArn": policy, "PolicyDocument": AuthorityHouse.document(AuthorityHouse.allow("kms:B"))]
            #expect(try await house.iam("CreatePolicyVersion", version, as: house.admin).code == "LimitExceeded")
            // A number is never used again.
            try await house.manage("DeletePolicyVersion", ["PolicyArn": policy, "VersionId": "v5"])
            #expect(try await house.manage("CreatePolicyVersion", version)["VersionId"] == "v6")
        }
    }

    @Test func anAccountsGroupsEndAtTheQuota() async throws {
        try await AuthorityHouse.with { house in
            _ = try await house.pool.execute(
                """
                INSERT INTO user_groups (group_id, account, path, name)
                SELECT 'AGPA' || translate(lpad(n::text, 17, 'A'), '0189', 'WXYZ'), \(AuthorityHouse.customer), '/', 'g' || n
                FROM generate_series(1, \(AccountsStore.maximumGroups - 1)) n
                """)
            #expect(try await house.iam("CreateGroup", ["GroupName": "last"], as: house.admin).status == 200)
            #expect(try await house.iam("CreateGroup", ["GroupName": "more"], as: house.admin).code == "LimitExceeded")
        }
    }

    @Test(arguments: [("user", 2048), ("group", 5120), ("role", 10_240)])
    func inlinePoliciesShareTheirSpace(kind: String, most: Int) async throws {
        try await AuthorityHouse.with { house in
            let title = kind.prefix(1).uppercased() + kind.dropFirst()
            if kind == "role" {
                _ = try await house.role("x", trust: STSTests.trustAccount)
            } else {
                try await house.manage("Create\(title)", ["\(title)Name": "x"])
            }
            let document = { (characters: Int) in
                let frame = #"{"Statement":{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"}}"#
                let sid = String(repeating: "x", count: characters - frame.utf8.count)
                return frame.replacing(#""Sid":"""#, with: #" "Sid" : "\#(sid)""#)
            }
            let put = { (name: String, characters: Int) in
                try await house.iam(
                    "Put\(title)Policy", ["\(title)Name": "x", "PolicyName": name, "PolicyDocument": document(characters)],
                    as: house.admin
                ).code
            }
            #expect(try await put("a", most / 2) == "")
            #expect(try await put("b", most / 2 + 1) == "LimitExceeded")
            #expect(try await put("b", most / 2 - 1) == "")
            #expect(try await put("b", most / 2) == "")
            #expect(try await put("a", most) == "LimitExceeded")
        }
    }

    @Test func trustInNobodyIsRefused() async throws {
        try await AuthorityHouse.with { house in
            let trust =
                #"{"Statement":{"Effect":"Allow","Principal":{"AWS":"\#(AuthorityHouse.arn("user/absent"))"},"Action":"sts:AssumeRole"}}"#
            let refused = try await house.iam(
                "CreateRole", ["RoleName": "r", "AssumeRolePolicyDocument": trust], as: house.admin)
            #expect(refused.status == 400 && refused.code == "MalformedPolicyDocument")
        }
    }

    @Test func callsThatMeetChangeOneAfterTheOther() async throws {
        try await AuthorityHouse.with { house in
            _ = try await house.user("ann")
            let codes = try await withThrowingTaskGroup(of: String.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        number.isMultiple(of: 2)
                            ? try await house.iam("CreateAccessKey", ["UserName": "ann"], as: house.admin).code
                            : try await house.iam("CreateUser", ["UserName": "ben"], as: house.admin).code
                    }
                }
                return try await group.reduce(into: [String]()) { $0.append($1) }
            }
            // The house gave ann one key.
            #expect(codes.count { $0.isEmpty } == 2)
            #expect(codes.count { $0 == "LimitExceeded" } == 3 && codes.count { $0 == "EntityAlreadyExists" } == 3)
        }
    }
}
