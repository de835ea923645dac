import AWSProtocol
import AuthorityAPI
import FoundationEssentials
import Policies
import PostgresTesting
import Testing

/// That every way to a policy counts when it is decided.
@Suite(.enabled(if: TestDatabase.isAvailable)) struct EffectivePoliciesTests {
    static let trust = STSTests.trustAccount

    @Test func policiesOfGroupsCountWhileTheUserIsInThem() async throws {
        try await AuthorityHouse.with { house in
            let ann = try await house.user("ann")
            try await house.manage("CreateGroup", ["GroupName": "staff"])
            try await house.manage(
                "PutGroupPolicy",
                [
                    "GroupName": "staff", "PolicyName": "p",
                    "PolicyDocument": AuthorityHouse.document(AuthorityHouse.allow("kms:A")),
                ])
            let managed = try await house.managedPolicy("m", AuthorityHouse.allow("kms:B"))
            try await house.manage("AttachGroupPolicy", ["GroupName": "staff", "PolicyArn": managed])
            #expect(try await !house.mayDo("kms:A", as: ann).isAllowed)
            try await house.manage("AddUserToGroup", ["GroupName": "staff", "UserName": "ann"])
            #expect(try await house.mayDo("kms:A", as: ann).isAllowed)
            #expect(try await house.mayDo("kms:B", as: ann).isAllowed)
            #expect(try await !house.mayDo("kms:C", as: ann).isAllowed)
            try await house.manage("RemoveUserFromGroup", ["GroupName": "staff", "UserName": "ann"])
            #expect(try await !house.mayDo("kms:B", as: ann).isAllowed)
        }
    }

    @Test func theDefaultVersionOfAManagedPolicyCounts() async throws {
        try await AuthorityHouse.with { house in
            let ann = try await house.user("ann")
            let policy = try await house.managedPolicy("m", AuthorityHouse.allow("kms:A"))
            try await house.manage("AttachUserPolicy", ["UserName": "ann", "PolicyArn": policy])
            #expect(try await house.mayDo("kms:A", as: ann).isAllowed)
            let next = ["PolicyArn": policy, "PolicyDocument": AuthorityHouse.document(AuthorityHouse.allow("kms:B"))]
            try await house.manage("CreatePolicyVersion", next)
            #expect(try await !house.mayDo("kms:B", as: ann).isAllowed)
            try await house.manage("SetDefaultPolicyVersion", ["PolicyArn": policy, "VersionId": "v2"])
            #expect(try await house.mayDo("kms:B", as: ann).isAllowed)
            #expect(try await !house.mayDo("kms:A", as: ann).isAllowed)
        }
    }

    @Test func aBoundaryCapsAndDenies() async throws {
        try await AuthorityHouse.with { house in
            let boundary = try await house.managedPolicy(
                "b", AuthorityHouse.allow("kms:*"), AuthorityHouse.deny("kms:Delete*"))
            let ann = try await house.user("ann", allowing: AuthorityHouse.allow("*"))
            #expect(try await house.mayDo("s3:GetObject", as: ann).isAllowed)
            try await house.manage("PutUserPermissionsBoundary", ["UserName": "ann", "PermissionsBoundary": boundary])
            #expect(try await house.mayDo("kms:Encrypt", as: ann).isAllowed)
            let capped = try await house.mayDo("s3:GetObject", as: ann)
            #expect(!capped.isAllowed && capped.message.contains("no permissions boundary allows"))
            #expect(try await house.mayDo("kms:DeleteAlias", as: ann).isExplicitDeny)
            try await house.manage("DeleteUserPermissionsBoundary", ["UserName": "ann"])
            #expect(try await house.mayDo("s3:GetObject", as: ann).isAllowed)
        }
    }

    @Test func aRolesBoundaryCapsItsSessions() async throws {
        try await AuthorityHouse.with { house in
            let boundary = try await house.managedPolicy("b", AuthorityHouse.allow("kms:*"))
            let role = try await house.role("r", trust: Self.trust)
            let all = try await house.managedPolicy("all", AuthorityHouse.allow("*"))
            try await house.manage("AttachRolePolicy", ["RoleName": "r", "PolicyArn": all])
            let session = try await house.assume(role, as: house.admin)
            #expect(try await house.mayDo("s3:GetObject", as: session).isAllowed)
            try await house.manage("PutRolePermissionsBoundary", ["RoleName": "r", "PermissionsBoundary": boundary])
            #expect(try await !house.mayDo("s3:GetObject", as: session).isAllowed)
            #expect(try await house.mayDo("kms:Encrypt", as: session).isAllowed)
        }
    }

    @Test func sessionPoliciesByARNAndInlineAllowTogetherAndNothingMore() async throws {
        try await AuthorityHouse.with { house in
            let role = try await house.role("r", trust: Self.trust)
            try await house.manage(
                "PutRolePolicy",
                ["RoleName": "r", "PolicyName": "p", "PolicyDocument": AuthorityHouse.document(AuthorityHouse.allow("kms:*"))])
            let managed = try await house.managedPolicy("m", AuthorityHouse.allow("kms:A"), AuthorityHouse.allow("s3:*"))
            let session = try await house.assume(
                role, as: house.admin,
                ["PolicyArns.member.1.arn": managed, "Policy": AuthorityHouse.document(AuthorityHouse.allow("kms:B"))])
            #expect(try await house.mayDo("kms:A", as: session).isAllowed)
            #expect(try await house.mayDo("kms:B", as: session).isAllowed)
            #expect(try await !house.mayDo("kms:C", as: session).isAllowed)
            // What the role may not do, no session policy gives.
            #expect(try await !house.mayDo("s3:GetObject", as: session).isAllowed)

            let narrow = try await house.assume(role, as: house.admin, ["PolicyArns.member.1.arn": managed])
            try await house.manage("DeletePolicy", ["PolicyArn": managed])
            // One whose policy is gone may do nothing, rather than everything that its role may.
            #expect(try await !house.mayDo("kms:A", as: narrow).isAllowed)
        }
    }

    @Test func tagsOfUsersRolesAndSessionsAreThePrincipals() async throws {
        try await AuthorityHouse.with { house in
            let condition = #"{"StringEquals":{"aws:PrincipalTag/team":"blue"}}"#
            let ann = try await house.user("ann", allowing: AuthorityHouse.allow("kms:A", condition))
            #expect(try await !house.mayDo("kms:A", as: ann).isAllowed)
            try await house.manage(
                "TagUser", ["UserName": "ann", "Tags.member.1.Key": "Team", "Tags.member.1.Value": "blue"])
            #expect(try await house.mayDo("kms:A", as: ann).isAllowed)
            try await house.manage("UntagUser", ["UserName": "ann", "TagKeys.member.1": "team"])
            #expect(try await !house.mayDo("kms:A", as: ann).isAllowed)

            let role = try await house.role("r", trust: Self.trustTagging)
            try await house.manage("TagRole", ["RoleName": "r", "Tags.member.1.Key": "team", "Tags.member.1.Value": "red"])
            try await house.manage(
                "PutRolePolicy",
                [
                    "RoleName": "r", "PolicyName": "p",
                    "PolicyDocument": AuthorityHouse.document(AuthorityHouse.allow("kms:A", condition)),
                ])
            #expect(try await !house.mayDo("kms:A", as: try await house.assume(role, as: house.admin)).isAllowed)
            // The session's tag stands in place of the role's.
            let tagged = try await house.assume(
                role, as: house.admin, ["Tags.member.1.Key": "TEAM", "Tags.member.1.Value": "blue"])
            #expect(try await house.mayDo("kms:A", as: tagged).isAllowed)
        }
    }

    static let trustTagging =
        #"{"Effect":"Allow","Principal":{"AWS":"\#(AuthorityHouse.customer)"},"Action":["sts:AssumeRole","sts:TagSession"]}"#
}
