import AWSClients
import AWSProtocol
import Testing

@Suite struct IAMClientTests {
    private func answer(_ decisions: [(String, String)]) -> String {
        let results = decisions.map { action, decision in
            "<member><EvalActionName>\(action)</EvalActionName><EvalResourceName>r</EvalResourceName>"
                + "<EvalDecision>\(decision)</EvalDecision><MatchedStatements/></member>"
        }.joined()
        return """
            <SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">\
            <SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>\(results)</EvaluationResults>\
            </SimulatePrincipalPolicyResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>\
            </SimulatePrincipalPolicyResponse>
            """
    }

    private func client(_ transport: ScriptedTransport) -> IAMClient {
        IAMClient(caller: TestSurroundings().caller(transport, signingName: IAMClient.signingName))
    }

    @Test func whatIsNotAllowedIsNamed() async throws {
        let transport = ScriptedTransport([
            .answer(200, answer([("kms:Decrypt", "allowed"), ("kms:GenerateDataKey", "implicitDeny")])),
            .answer(200, answer([("kms:Decrypt", "explicitDeny"), ("kms:GenerateDataKey", "allowed")])),
        ])
        let actions = ["kms:Decrypt", "kms:GenerateDataKey"]
        let denied = try await client(transport).deniedActions(
            of: "arn:aws:iam::1:user/a", among: actions, on: Samples.keyARN)
        #expect(denied == ["kms:GenerateDataKey"])
        #expect(
            try await client(transport).deniedActions(of: "arn:aws:iam::1:user/a", among: actions, on: Samples.keyARN)
                == ["kms:Decrypt"])
        let sent = try QueryParameters(form: transport.calls[0].request.body)
        #expect(sent["Action"] == "SimulatePrincipalPolicy" && sent["PolicySourceArn"] == "arn:aws:iam::1:user/a")
        #expect(try sent.list("ActionNames") == actions)
        #expect(try sent.list("ResourceArns") == [Samples.keyARN])
    }

    @Test func anActionWithoutADecisionIsNoAnswer() async throws {
        let transport = ScriptedTransport([.answer(200, answer([("kms:Decrypt", "allowed")]))])
        let error = await #expect(throws: AWSError.self) {
            try await client(transport).deniedActions(of: "a", among: ["kms:Decrypt", "kms:GenerateDataKey"], on: "k")
        }
        #expect(error?.code == "MalformedAnswer")
    }

    @Test func aRefusalHasIAMsCode() async throws {
        let transport = ScriptedTransport([
            .answer(403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>")
        ])
        let error = await #expect(throws: AWSError.self) {
            try await client(transport).deniedActions(of: "a", among: ["kms:Decrypt"], on: "k")
        }
        #expect(error?.code == "AccessDenied" && error?.message == "no")
    }
}
