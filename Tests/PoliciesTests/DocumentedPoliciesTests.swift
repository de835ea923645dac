import Policies
import Testing

/// The policy statements that the guide of the modelled service prints, with quotes and braces mended and placeholders filled.
@Suite struct DocumentedPoliciesTests {
    static let caller =
        #"{"Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:user/analyst" }, "Action": [ "kms:Decrypt", "kms:GenerateDataKey" ], "Resource": "*" }"#

    static let statements = #"""
        {"Sid" : "Allow access to principals authorized to use Amazon Forecast",
         "Effect" : "Allow", "Principal" : {"AWS" : "arn:aws:iam::111122223333:role/ROLE_PASSED_TO_FORECAST" },
         "Action" : [ "kms:DescribeKey", "kms:CreateGrant", "kms:RetireGrant" ], "Resource" : "*",
         "Condition" : {"StringEquals" : {"kms:ViaService" : "forecast.us-west-2.amazonaws.com",
                                          "kms:CallerAccount" : "111122223333" } } },
        {"Sid": "Allow access for key administrators", "Effect": "Allow",
         "Principal": {"AWS": "arn:aws:iam::111122223333:root" }, "Action" : [ "kms:*" ],
         "Resource": "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab" }
        """#

    func decide(_ subject: PolicySubject, _ action: String, _ context: [String: [String]] = [:]) throws -> Bool {
        let policy = try PolicyDocument.parse(#"{"Statement" : [ \#(Self.statements), \#(Self.caller) ]}"#, kind: .key)
        return PolicyEvaluator.decideKey(
            request(subject, action, keyARN, context), keyPolicy: policy, account: account, policies: .none
        ).isAllowed
    }

    @Test(arguments: ["kms:DescribeKey", "kms:CreateGrant", "kms:RetireGrant"])
    func theRolePassedMayActThroughForecastOnly(action: String) throws {
        let role = session(role: "ROLE_PASSED_TO_FORECAST", name: "forecast-job")
        let through = ["kms:ViaService": ["forecast.us-west-2.amazonaws.com"], "kms:CallerAccount": [account]]
        #expect(try decide(role, action, through))
        #expect(try !decide(role, action))
        #expect(try !decide(role, action, ["kms:ViaService": ["s3.us-west-2.amazonaws.com"], "kms:CallerAccount": [account]]))
        #expect(
            try !decide(
                role, action, ["kms:ViaService": ["forecast.us-west-2.amazonaws.com"], "kms:CallerAccount": [foreignAccount]]))
        #expect(try !decide(session(role: "OTHER"), action, through))
    }

    @Test func theRolePassedMayNotDecrypt() throws {
        let through = ["kms:ViaService": ["forecast.us-west-2.amazonaws.com"], "kms:CallerAccount": [account]]
        #expect(try !decide(session(role: "ROLE_PASSED_TO_FORECAST"), "kms:Decrypt", through))
    }

    @Test func theInvokingIdentityMayDecryptAndGenerate() throws {
        #expect(try decide(user("analyst"), "kms:Decrypt"))
        #expect(try decide(user("analyst"), "kms:GenerateDataKey"))
        #expect(try !decide(user("analyst"), "kms:CreateGrant"))
    }

    @Test func administratorsHaveTheKey() throws {
        #expect(try decide(root(), "kms:ScheduleKeyDeletion"))
    }

    @Test func theSameRightsWorkAsIAMPolicyWhereTheAccountIsDelegatedTo() throws {
        let policies = try identity(
            #"{"Effect":"Allow","Action":["kms:DescribeKey","kms:CreateGrant","kms:RetireGrant"],"Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"forecast.us-west-2.amazonaws.com","kms:CallerAccount":"111122223333"}}}"#
        )
        let policy = try key(KeyDecisionTests.delegation)
        let decide = { (context: [String: [String]]) in
            PolicyEvaluator.decideKey(
                request(session(role: "r"), "kms:CreateGrant", keyARN, context), keyPolicy: policy, account: account,
                policies: policies
            ).isAllowed
        }
        #expect(decide(["kms:ViaService": ["forecast.us-west-2.amazonaws.com"], "kms:CallerAccount": [account]]))
        #expect(!decide([:]))
    }

    @Test func theRoleTrustsForecast() throws {
        let document = try PolicyDocument.parse(
            #"""
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "forecast.amazonaws.com"},
              "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"},
              "ArnLike": {"aws:SourceArn": "arn:aws:forecast:us-west-2:111122223333:*"}}}]}
            """#, kind: .trust)
        let context = ["aws:SourceAccount": [account], "aws:SourceArn": ["arn:aws:forecast:us-west-2:111122223333:dataset/d"]]
        let assume = request(.service("forecast.amazonaws.com"), "sts:AssumeRole", "arn:aws:iam::111122223333:role/r", context)
        #expect(PolicyEvaluator.decideTrust(assume, trustPolicy: document, account: account, policies: .none).isAllowed)
    }
}
