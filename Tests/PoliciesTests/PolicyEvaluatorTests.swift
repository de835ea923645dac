import Policies
import Testing

@Suite struct PolicyEvaluatorTests {
    // MARK: Own policies alone

    @Test func denyIsTheDefaultAndADenyBeatsAnAllow() throws {
        let wanted = request(user("a"), "forecast:CreateDataset", "arn:aws:forecast:us-west-2:111122223333:dataset/x")
        #expect(!PolicyEvaluator.decide(wanted, policies: .none).isAllowed)
        #expect(PolicyEvaluator.decide(wanted, policies: try identity(allowAll)).isAllowed)
        let deny = #"{"Sid":"no","Effect":"Deny","Action":"forecast:Create*","Resource":"*"}"#
        let decision = PolicyEvaluator.decide(wanted, policies: try identity(allowAll, deny))
        #expect(decision.isExplicitDeny)
        guard case .denied(.explicit(let statement)) = decision.outcome else { return }
        #expect(statement.sid == "no" && statement.index == 1 && statement.source == .identity(policy: "p"))
        #expect(
            decision.message
                == "User: arn:aws:iam::111122223333:user/a is not authorized to perform: forecast:CreateDataset on resource: arn:aws:forecast:us-west-2:111122223333:dataset/x with an explicit deny in an identity-based policy"
        )
    }

    @Test func actionsIgnoreCaseAndResourcesDoNot() throws {
        let policies = try identity(
            #"{"Effect":"Allow","Action":"FORECAST:create?ataset","Resource":"arn:aws:forecast:*:*:dataset/x"}"#)
        let resource = "arn:aws:forecast:us-west-2:111122223333:dataset/"
        #expect(
            PolicyEvaluator.decide(request(user("a"), "forecast:CreateDataset", resource + "x"), policies: policies).isAllowed)
        #expect(
            !PolicyEvaluator.decide(request(user("a"), "forecast:CreateDataset", resource + "X"), policies: policies).isAllowed)
        #expect(
            !PolicyEvaluator.decide(request(user("a"), "forecast:CreateDatasets", resource + "x"), policies: policies).isAllowed)
    }

    @Test func negatedElementsTakeTheRest() throws {
        let policies = try identity(#"{"Effect":"Allow","NotAction":"iam:*","NotResource":"arn:aws:s3:::secret/*"}"#)
        #expect(PolicyEvaluator.decide(request(user("a"), "s3:GetObject", "arn:aws:s3:::open/x"), policies: policies).isAllowed)
        #expect(
            !PolicyEvaluator.decide(request(user("a"), "s3:GetObject", "arn:aws:s3:::secret/x"), policies: policies).isAllowed)
        #expect(!PolicyEvaluator.decide(request(user("a"), "iam:PassRole", "arn:aws:s3:::open/x"), policies: policies).isAllowed)
    }

    @Test func anotherAccountsResourceIsOutOfReach() throws {
        let other = request(user("a"), "forecast:DescribeDataset", "arn:aws:forecast:us-west-2:444455556666:dataset/x")
        #expect(PolicyEvaluator.decide(other, policies: try identity(allowAll)).outcome == .denied(.foreignResource))
    }

    @Test func rootNeedsNoPolicyAndASessionPolicyNarrows() throws {
        let wanted = request(root(), "forecast:ListDatasets", "*")
        #expect(PolicyEvaluator.decide(wanted, policies: .none).outcome == .allowed(.root))
        var narrowed = try identity(allowAll)
        narrowed.session = try narrowing(#"{"Effect":"Allow","Action":"kms:*","Resource":"*"}"#).session
        let denied = PolicyEvaluator.decide(request(session(role: "r"), "forecast:ListDatasets", "*"), policies: narrowed)
        #expect(denied.outcome == .denied(.missingAllow(.session)))
        #expect(denied.message.hasSuffix("because no session policy allows the forecast:ListDatasets action"))
        #expect(PolicyEvaluator.decide(request(session(role: "r"), "kms:ListKeys", "*"), policies: narrowed).isAllowed)
        #expect(
            !PolicyEvaluator.decide(
                request(session(role: "r"), "kms:ListKeys", "*"), policies: SubjectPolicies(session: narrowed.session)
            ).isAllowed)
    }

    @Test func passRoleIsBoundToAService() throws {
        let policies = try identity(
            #"{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111122223333:role/F*","Condition":{"StringEquals":{"iam:PassedToService":"forecast.amazonaws.com"}}}"#
        )
        let role = "arn:aws:iam::111122223333:role/Forecast"
        let context = ["iam:PassedToService": ["forecast.amazonaws.com"]]
        #expect(PolicyEvaluator.decide(request(user("a"), "iam:PassRole", role, context), policies: policies).isAllowed)
        #expect(
            !PolicyEvaluator.decide(
                request(user("a"), "iam:PassRole", role, ["iam:PassedToService": ["ec2.amazonaws.com"]]), policies: policies
            ).isAllowed)
        #expect(!PolicyEvaluator.decide(request(user("a"), "iam:PassRole", role), policies: policies).isAllowed)
    }

    // MARK: Trust policies

    @Test func trustNamingThePrincipalSufficesWithinAnAccount() throws {
        let role = "arn:aws:iam::111122223333:role/r"
        let naming = try trust(
            #"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/a"},"Action":"sts:AssumeRole"}"#)
        let delegating = try trust(#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}"#)
        let assume = { request(user($0), "sts:AssumeRole", role) }
        #expect(PolicyEvaluator.decideTrust(assume("a"), trustPolicy: naming, account: account, policies: .none).isAllowed)
        #expect(
            !PolicyEvaluator.decideTrust(assume("b"), trustPolicy: naming, account: account, policies: try identity(allowAll))
                .isAllowed)
        #expect(!PolicyEvaluator.decideTrust(assume("b"), trustPolicy: delegating, account: account, policies: .none).isAllowed)
        #expect(
            PolicyEvaluator.decideTrust(assume("b"), trustPolicy: delegating, account: account, policies: try identity(allowAll))
                .isAllowed)
        let denied = PolicyEvaluator.decideTrust(assume("b"), trustPolicy: naming, account: account, policies: .none)
        #expect(
            denied.briefMessage
                == "User: arn:aws:iam::111122223333:user/b is not authorized to perform: sts:AssumeRole on resource: \(role)")
    }

    @Test func assumingAcrossAccountsNeedsBothSides() throws {
        let naming = try trust(
            #"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:user/a"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"e1"}}}"#
        )
        let assume = { (id: String) in
            request(
                user("a", account: foreignAccount), "sts:AssumeRole", "arn:aws:iam::111122223333:role/r", ["sts:ExternalId": [id]]
            )
        }
        #expect(!PolicyEvaluator.decideTrust(assume("e1"), trustPolicy: naming, account: account, policies: .none).isAllowed)
        #expect(
            PolicyEvaluator.decideTrust(assume("e1"), trustPolicy: naming, account: account, policies: try identity(allowAll))
                .isAllowed)
        #expect(
            !PolicyEvaluator.decideTrust(assume("e2"), trustPolicy: naming, account: account, policies: try identity(allowAll))
                .isAllowed)
    }

    @Test func aServiceNeedsTheTrustPolicyAndOnlyItsOwnName() throws {
        let forecast = try trust(
            #"{"Effect":"Allow","Principal":{"Service":"forecast.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"},"ArnLike":{"aws:SourceArn":"arn:aws:forecast:us-west-2:111122223333:*"}}}"#
        )
        let context = [
            "aws:SourceAccount": ["111122223333"], "aws:SourceArn": ["arn:aws:forecast:us-west-2:111122223333:dataset/x"],
        ]
        let assume = { (name: String, context: [String: [String]]) in
            request(.service(name), "sts:AssumeRole", "arn:aws:iam::111122223333:role/r", context)
        }
        let decide = { PolicyEvaluator.decideTrust($0, trustPolicy: $1, account: account, policies: .none).isAllowed }
        #expect(decide(assume("forecast.amazonaws.com", context), forecast))
        #expect(!decide(assume("ec2.amazonaws.com", context), forecast))
        #expect(!decide(assume("forecast.amazonaws.com", ["aws:SourceAccount": ["444455556666"]]), forecast))
        #expect(
            !decide(
                assume("forecast.amazonaws.com", context),
                try trust(#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}"#)))
        #expect(
            !decide(
                assume("forecast.amazonaws.com", context),
                try trust(
                    #"{"Effect":"Allow","Principal":{"Service":"forecast.amazonaws.com"},"Action":"sts:AssumeRole"}"#,
                    #"{"Effect":"Deny","Principal":"*","Action":"sts:*"}"#)))
    }

    @Test func notPrincipalIsReadStrictlyBothWays() throws {
        let role = "arn:aws:iam::111122223333:role/r"
        let other = #"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}"#
        let deny = { (list: String) in
            try trust(other, #"{"Effect":"Deny","NotPrincipal":{"AWS":[\#(list)]},"Action":"sts:AssumeRole"}"#)
        }
        let decide = { (subject: PolicySubject, document: PolicyDocument) in
            PolicyEvaluator.decideTrust(
                request(subject, "sts:AssumeRole", role), trustPolicy: document, account: account, policies: .none
            ).isAllowed
        }
        #expect(!decide(user("a"), try deny(#""arn:aws:iam::111122223333:user/a""#)))
        #expect(decide(user("a"), try deny(#""arn:aws:iam::111122223333:user/a","111122223333""#)))
        #expect(!decide(user("b"), try deny(#""arn:aws:iam::111122223333:user/a","111122223333""#)))
        let allow = try trust(#"{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}"#)
        #expect(!decide(user("a"), allow))
    }
}
