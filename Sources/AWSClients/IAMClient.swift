package import AWSProtocol

/// The one call of AWS's IAM that the service makes: what a principal's own policies allow.
package struct IAMClient: Sendable {
    package static let signingName = "iam"
    private static let version = "2010-05-08"
    /// What IAM answers where the action is allowed; `implicitDeny` and `explicitDeny` otherwise.
    private static let allowed = "allowed"

    private let caller: AWSCaller

    package init(configuration: AWSClientConfiguration, transport: any AWSTransport) {
        self.init(
            caller: AWSCaller(configuration: configuration, transport: transport, signingName: Self.signingName))
    }

    package init(caller: AWSCaller) { self.caller = caller }

    /// The actions on the resource that the principal's identity policies and boundary do **not** allow. Policies of the
    /// resource are not looked at.
    ///
    /// - Parameter principal: ARN of a user or role; of a session, its role's.
    package func deniedActions(
        of principal: String, among actions: [String], on resource: String
    ) async throws(AWSError) -> [String] {
        var parameters = [
            "Action": "SimulatePrincipalPolicy", "Version": Self.version, "PolicySourceArn": principal,
            "ResourceArns.member.1": resource,
        ]
        for (index, action) in actions.enumerated() { parameters["ActionNames.member.\(index + 1)"] = action }
        let answer = try await caller.query(QueryParameters(parameters))
        guard answer.name == "SimulatePrincipalPolicyResponse",
            let results = answer["SimulatePrincipalPolicyResult"]?["EvaluationResults"]?.children
        else { throw .malformedAnswer() }
        var decisions: [String: String] = [:]
        for result in results {
            guard let action = result["EvalActionName"]?.text, let decision = result["EvalDecision"]?.text else {
                throw .malformedAnswer()
            }
            decisions[action] = decision
        }
        // One action without a decision must not pass for allowed.
        guard actions.allSatisfy({ decisions[$0] != nil }) else { throw .malformedAnswer() }
        return actions.filter { decisions[$0] != Self.allowed }
    }
}
