import AWSProtocol
import Accounts
import Policies

/// Asks the evaluator about a principal that does not call. Pure.
struct PolicySimulation {
    let source: Identity
    let subject: Principal
    let policies: SubjectPolicies
    /// What the asker says of the circumstances; what is known of the principal wins.
    let context: ConditionContext

    func result(_ action: String, on resource: String) -> IAMValue {
        let decision = decide(action, resource, policies)
        return .members([
            IAMField("EvalActionName", action), IAMField("EvalResourceName", resource),
            IAMField("EvalDecision", Self.word(decision)), IAMField("MatchedStatements", .list(matched(decision))),
            IAMField("MissingContextValues", .list([])), boundaryDetail(action, resource),
        ])
    }

    private func decide(_ action: String, _ resource: String, _ policies: SubjectPolicies) -> Decision {
        var context = context
        for (key, value) in principalKeys { context.set(key, value) }
        for tag in subject.tags.list { context.set("aws:PrincipalTag/\(tag.key)", tag.value) }
        return PolicyEvaluator.decide(
            AuthorizationRequest(subject: subject.subject, action: action, resource: resource, context: context),
            policies: policies)
    }

    /// Of the principal alone: the circumstances of a call that is not made are the asker's to say.
    private var principalKeys: [(String, String)] {
        var keys = [
            ("aws:PrincipalArn", subject.identityARN.description), ("aws:PrincipalAccount", subject.account),
            ("aws:userid", subject.userID), ("aws:PrincipalIsAWSService", "false"),
            ("aws:PrincipalType", source.kind == .role ? "AssumedRole" : "User"),
        ]
        if source.kind == .user { keys.append(("aws:username", source.name)) }
        return keys
    }

    private static func word(_ decision: Decision) -> String {
        if decision.isAllowed { return "allowed" }
        return decision.isExplicitDeny ? "explicitDeny" : "implicitDeny"
    }

    /// The statement that decided, where one did.
    private func matched(_ decision: Decision) -> [IAMValue] {
        let reference: StatementReference
        switch decision.outcome {
        case .allowed(.statement(let found)), .denied(.explicit(let found)): reference = found
        default: return []
        }
        let policy: String
        switch reference.source {
        case .identity(let name): policy = name
        case .boundary: policy = "PermissionsBoundary"
        case .session, .resource: policy = ""
        }
        return [.structure([IAMField("SourcePolicyId", policy), IAMField("SourcePolicyType", source.kind.rawValue)])]
    }

    private func boundaryDetail(_ action: String, _ resource: String) -> IAMField? {
        guard let boundary = policies.boundary else { return nil }
        let alone = SubjectPolicies(identity: [boundary])
        return IAMField(
            "PermissionsBoundaryDecisionDetail",
            .structure([IAMField("AllowedByPermissionsBoundary", .flag(decide(action, resource, alone).isAllowed))]))
    }
}
