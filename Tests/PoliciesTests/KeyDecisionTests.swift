import Policies
import Testing

/// The decision for a KMS request: key policy, delegation to the account, grants, both sides across accounts.
@Suite struct KeyDecisionTests {
    static let delegation =
        #"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}"#
    static let allowDecrypt = #"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}"#

    func decide(
        _ subject: PolicySubject, _ keyPolicy: PolicyDocument, _ policies: SubjectPolicies = .none, grants: [Grant] = [],
        action: String = "kms:Decrypt", context: [String: String] = [:], acrossAccounts: Bool = true
    ) -> Decision {
        PolicyEvaluator.decideKey(
            request(subject, action), keyPolicy: keyPolicy, account: account, policies: policies, grants: grants,
            encryptionContext: context, isUsableAcrossAccounts: acrossAccounts)
    }

    func allowing(_ principal: String) throws -> PolicyDocument {
        try key(#"{"Effect":"Allow","Principal":{"AWS":"\#(principal)"},"Action":"kms:Decrypt","Resource":"*"}"#)
    }

    @Test func delegationIsTheOnlyWayForIdentityPolicies() throws {
        let delegated = try key(Self.delegation)
        #expect(decide(user("a"), delegated, try identity(Self.allowDecrypt)).isAllowed)
        #expect(decide(user("a"), delegated).outcome == .denied(.missingAllow(.identity(policy: ""))))
        let closed = try allowing("arn:aws:iam::111122223333:user/b")
        #expect(decide(user("a"), closed, try identity(allowAll)).outcome == .denied(.missingAllow(.resource)))
        #expect(decide(user("b"), closed).isAllowed)
        // An identity Deny works without any delegation.
        #expect(decide(user("b"), closed, try identity(#"{"Effect":"Deny","Action":"kms:*","Resource":"*"}"#)).isExplicitDeny)
    }

    @Test func rootIsAllowedByItsStatementOnly() throws {
        #expect(decide(root(), try key(Self.delegation)).isAllowed)
        #expect(!decide(root(), try allowing("arn:aws:iam::111122223333:user/b")).isAllowed)
    }

    @Test func aDenyInTheKeyPolicyEndsTheQuestion() throws {
        let policy = try key(
            Self.delegation,
            #"{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:role/r"},"Action":"kms:Decrypt","Resource":"*"}"#)
        #expect(decide(session(role: "r"), policy, try identity(allowAll)).isExplicitDeny)
        #expect(decide(session(role: "q"), policy, try identity(allowAll)).isAllowed)
        let grant = Grant(id: "g", grantee: .arn("arn:aws:iam::111122223333:role/r"), operations: ["Decrypt"], constraints: .none)
        #expect(decide(session(role: "r"), policy, grants: [grant]).isExplicitDeny)
    }

    @Test func aStatementWithoutResourceOrForAnotherKeyHasNoEffect() throws {
        let principal = #""Principal":{"AWS":"arn:aws:iam::111122223333:user/a"}"#
        #expect(!decide(user("a"), try key(#"{"Effect":"Allow",\#(principal),"Action":"kms:*"}"#)).isAllowed)
        #expect(
            !decide(
                user("a"),
                try key(
                    #"{"Effect":"Allow",\#(principal),"Action":"kms:*","Resource":"arn:aws:kms:us-west-2:111122223333:key/other"}"#
                )
            ).isAllowed)
        #expect(
            decide(user("a"), try key(#"{"Effect":"Allow",\#(principal),"Action":"kms:*","Resource":"\#(keyARN)"}"#)).isAllowed)
    }

    @Test func aSessionPolicyLimitsWhatTheRoleWasGivenButNotWhatTheSessionWasGiven() throws {
        let narrowed = try narrowing(#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#)
        let byRole = try allowing("arn:aws:iam::111122223333:role/path/r")
        let bySession = try allowing("arn:aws:sts::111122223333:assumed-role/r/s1")
        let subject = session(role: "path/r")
        #expect(decide(subject, byRole).isAllowed)
        #expect(decide(subject, byRole, narrowed).outcome == .denied(.missingAllow(.session)))
        #expect(decide(subject, bySession, narrowed).isAllowed)
        #expect(!decide(session(role: "path/r", name: "s2"), bySession).isAllowed)
        #expect(decide(subject, try allowing("*")).isAllowed)
        #expect(!decide(subject, try allowing("*"), narrowed).isAllowed)
        let denying = try narrowing(allowAll, #"{"Effect":"Deny","Action":"kms:*","Resource":"*"}"#)
        #expect(decide(subject, bySession, denying).isExplicitDeny)
    }

    @Test func uniqueIDsNameAUserOrRole() throws {
        let subject = session(role: "r")
        guard case .roleSession(_, let id) = subject.kind else { return }
        #expect(decide(subject, try allowing(id)).isAllowed)
        #expect(!decide(session(role: "q"), try allowing(id)).isAllowed)
    }

    // MARK: Grants

    func grant(_ grantee: String, operations: Set<String> = ["Decrypt"], constraints: Grant.Constraints = .none) throws -> Grant {
        Grant(id: "g1", grantee: try PrincipalPattern(aws: grantee), operations: operations, constraints: constraints)
    }

    @Test func aGrantAllowsItsGranteeItsOperationsAndItsContext() throws {
        let policy = try allowing("arn:aws:iam::111122223333:user/nobody")
        let bound = try grant(
            "arn:aws:sts::111122223333:assumed-role/worker/job-a", constraints: .init(subset: ["account": "1", "resource": "x"]))
        let a = session(role: "worker", name: "job-a")
        let context = ["account": "1", "resource": "x", "ordinal": "7"]
        #expect(decide(a, policy, grants: [bound], context: context).grantID == "g1")
        #expect(!decide(a, policy, grants: [bound], context: ["account": "1", "resource": "y"]).isAllowed)
        #expect(!decide(a, policy, grants: [bound]).isAllowed)
        #expect(!decide(a, policy, grants: [bound], action: "kms:Encrypt", context: context).isAllowed)
        // Job B's session under job A's grant.
        #expect(!decide(session(role: "worker", name: "job-b"), policy, grants: [bound], context: context).isAllowed)
        // A grant to the role reaches each of its sessions, as far as their session policy lets them.
        let whole = try grant("arn:aws:iam::111122223333:role/worker")
        #expect(decide(session(role: "worker", name: "job-b"), policy, grants: [whole]).isAllowed)
        let narrowed = try narrowing(#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#)
        #expect(!decide(session(role: "worker"), policy, narrowed, grants: [whole]).isAllowed)
    }

    @Test func aGrantIsNotInheritedByName() throws {
        let policy = try allowing("arn:aws:iam::111122223333:user/nobody")
        var bound = try grant("arn:aws:iam::111122223333:role/worker")
        bound.granteeID = session(role: "worker").identityID
        #expect(decide(session(role: "worker"), policy, grants: [bound]).isAllowed)
        bound.granteeID = "AROAANOTHERROLE000000"
        #expect(!decide(session(role: "worker"), policy, grants: [bound]).isAllowed)
    }

    @Test func aPolicyIsNamedBeforeAGrant() throws {
        let decision = decide(
            user("a"), try allowing("arn:aws:iam::111122223333:user/a"), grants: [try grant("arn:aws:iam::111122223333:user/a")])
        #expect(decision.isAllowed && decision.grantID == nil)
    }

    @Test func aGrantToAnAccountIsHandedOnByItsOwnPolicies() throws {
        let policy = try allowing("arn:aws:iam::111122223333:user/nobody")
        let whole = try grant("arn:aws:iam::111122223333:root")
        #expect(!decide(user("a"), policy, grants: [whole]).isAllowed)
        #expect(decide(user("a"), policy, try identity(Self.allowDecrypt), grants: [whole]).grantID == "g1")
    }

    @Test func constraintsOfEqualityTakeNoFurtherPairs() {
        let exact = Grant.Constraints(equals: ["Dept": "IT"])
        #expect(exact.admit(["Dept": "IT"]))
        #expect(exact.admit(["dEPT": "IT"]), "keys of constraints ignore case")
        #expect(!exact.admit(["Dept": "it"]), "values do not")
        #expect(!exact.admit(["Dept": "IT", "b": "c"]))
        #expect(!exact.admit([:]))
        #expect(Grant.Constraints(equals: [:]).admit([:]))
        let some = Grant.Constraints(subset: ["Dept": "IT"])
        #expect(some.admit(["dept": "IT", "b": "c"]))
        #expect(!some.admit(["Dept": "IT", "dept": "HR"]), "a second spelling with another value")
        #expect(!some.admit(["b": "c"]))
    }

    @Test func constraintsDoNotBindDescribeKey() throws {
        let policy = try allowing("arn:aws:iam::111122223333:user/nobody")
        let bound = try grant(
            "arn:aws:iam::111122223333:user/a", operations: ["DescribeKey"], constraints: .init(equals: ["a": "b"]))
        #expect(decide(user("a"), policy, grants: [bound], action: "kms:DescribeKey").isAllowed)
    }

    @Test func aGrantMadeThroughAGrantIsNoWider() throws {
        let parent = try grant(
            "arn:aws:iam::111122223333:user/a", operations: ["CreateGrant", "Decrypt", "Encrypt"],
            constraints: .init(subset: ["a": "1"]))
        #expect(parent.permits(childOperations: ["Decrypt"], constraints: .init(subset: ["a": "1"])))
        #expect(parent.permits(childOperations: ["Decrypt"], constraints: .init(subset: ["a": "1", "b": "2"])))
        #expect(parent.permits(childOperations: ["Decrypt"], constraints: .init(equals: ["a": "1"])))
        #expect(!parent.permits(childOperations: ["Decrypt"], constraints: .none))
        #expect(!parent.permits(childOperations: ["Decrypt"], constraints: .init(subset: ["b": "2"])))
        #expect(!parent.permits(childOperations: ["Decrypt", "GenerateDataKey"], constraints: .init(subset: ["a": "1"])))
        let exact = try grant("arn:aws:iam::111122223333:user/a", constraints: .init(equals: ["a": "1"]))
        #expect(exact.permits(childOperations: ["Decrypt"], constraints: .init(equals: ["a": "1"])))
        #expect(!exact.permits(childOperations: ["Decrypt"], constraints: .init(subset: ["a": "1"])))
        #expect(!exact.permits(childOperations: ["Decrypt"], constraints: .init(equals: ["a": "1", "b": "2"])))
    }

    // MARK: Across accounts

    @Test func bothAccountsMustAllow() throws {
        let stranger = user("a", account: foreignAccount)
        let open = try allowing("arn:aws:iam::444455556666:root")
        #expect(decide(stranger, open).outcome == .denied(.missingAllow(.identity(policy: ""))))
        #expect(decide(stranger, open, try identity(allowAll)).isAllowed)
        #expect(decide(stranger, try key(Self.delegation), try identity(allowAll)).outcome == .denied(.foreignResource))
        #expect(!decide(stranger, open, try identity(allowAll), acrossAccounts: false).isAllowed)
        #expect(decide(root(account: foreignAccount), open).isAllowed)
    }

    @Test func aGrantStandsForTheKeysSideOnly() throws {
        let worker = session(role: "worker", name: "job", account: foreignAccount)
        let across = try grant("arn:aws:sts::444455556666:assumed-role/worker/job")
        let policy = try key(Self.delegation)
        #expect(!decide(worker, policy, grants: [across]).isAllowed)
        #expect(decide(worker, policy, try identity(Self.allowDecrypt), grants: [across]).grantID == "g1")
    }

    @Test func foreignAbsentAndDeniedReadAlike() throws {
        let stranger = user("a", account: foreignAccount)
        let rights = try identity(allowAll)
        let absent = PolicyEvaluator.decideAbsentForeignKey(request(stranger), policies: rights)
        let closed = decide(stranger, try key(Self.delegation), rights)
        let denied = decide(stranger, try key(#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#), rights)
        #expect(absent == closed && closed == denied)
        let bare = PolicyEvaluator.decideAbsentForeignKey(request(stranger), policies: .none)
        #expect(bare == decide(stranger, try key(Self.delegation)))
    }
}
