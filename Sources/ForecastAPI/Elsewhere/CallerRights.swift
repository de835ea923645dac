package import AWSClients
import AWSProtocol
package import Pipelines
import Policies

/// What a caller may do with keys that the authority does not have, and a passed role with buckets where the authority does
/// not have the role.
///
/// The authority knows who the caller is, AWS knows what is allowed there, and neither can ask the other. Nothing is remembered
/// between calls.
package struct CallerRights: Sendable {
    /// Who answers.
    package enum Check: Sendable {
        /// Nobody: every operation that would have to ask is refused.
        case refuse
        /// Nobody, and the operator said that nobody need: the passed role's rights are all that counts.
        case none
        /// The policies of the map.
        case map
        /// IAM there, asked with SimulatePrincipalPolicy as a role of the caller's account: a client for its credentials.
        case simulate(iam: @Sendable (_ credentials: any AWSCredentialsProvider) -> IAMClient)
    }

    package let map: CallerMap
    private let check: Check
    private let roles: RoleSessions

    package init(check: Check, map: CallerMap, roles: RoleSessions) {
        self.check = check
        self.map = map
        self.roles = roles
    }

    /// Whether the question is one for here: about a customer's key, or a passed role's own rights.
    func isAsked(_ question: OperationPlan.Question) -> Bool {
        question.role != nil || question.action.hasPrefix("kms:")
    }

    /// Throws AccessDeniedException at the first question that is not answered with yes.
    func require(_ questions: [OperationPlan.Question], caller: Caller) async throws {
        guard !questions.isEmpty else { return }
        switch check {
        case .none:
            return
        case .refuse:
            throw AWSError.accessDenied(
                "This installation can't tell what its callers may do with keys that live elsewhere (keys.caller_check).")
        case .map:
            for question in questions { try decideByMap(question, caller) }
        case .simulate(let iam):
            try await simulate(questions, caller, iam)
        }
    }

    private func decideByMap(_ question: OperationPlan.Question, _ caller: Caller) throws {
        let name = question.role ?? caller.arn
        guard let document = map.policy(of: name) else { throw denied(question, caller, "the map of callers does not name it") }
        let account = ARN(question.resource)?.account ?? ""
        let request = AuthorizationRequest(
            // Of the resource's account: the map says all that there is to say.
            subject: PolicySubject(
                kind: .user, account: account.isEmpty ? caller.account : account, uniqueID: name, name: name),
            action: question.action, resource: question.resource, context: ConditionContext(question.context))
        let policies = SubjectPolicies(identity: [AttachedPolicy(name: "keys.callers_file", document: document)])
        guard PolicyEvaluator.decide(request, policies: policies).isAllowed else {
            throw denied(question, caller, "the map of callers does not allow it")
        }
    }

    private func simulate(
        _ questions: [OperationPlan.Question], _ caller: Caller, _ iam: (any AWSCredentialsProvider) -> IAMClient
    ) async throws {
        guard let simulator = map.simulator(of: caller.account) else {
            throw denied(questions[0], caller, "account \(caller.account) has no role that simulates policies")
        }
        let purpose = RoleSessions.Purpose(
            sessionName: "forecast-simulate", sourceARN: caller.arn, sourceAccount: caller.account,
            sourceAddress: RoleSessions.Purpose.service, userAgent: RoleSessions.Purpose.service)
        let client = iam(SimulatorCredentials(role: simulator, purpose: purpose, roles: roles))
        for group in Self.grouped(questions) {
            let first = group[0]
            guard let principal = first.role ?? map.principal(of: caller.arn) else {
                throw denied(first, caller, "the map of callers has no principal for it")
            }
            var refused: [String] = []
            do {
                refused = try await client.deniedActions(of: principal, among: group.map(\.action), on: first.resource)
            } catch {
                guard !error.isRetriable else { throw error }
                throw denied(first, caller, "its rights could not be simulated (\(error.code))")
            }
            if let action = refused.first, let question = group.first(where: { $0.action == action }) {
                throw denied(question, caller, "no policy of \(principal) allows it")
            }
        }
    }

    /// Questions about one principal and one resource, in one call.
    private static func grouped(_ questions: [OperationPlan.Question]) -> [[OperationPlan.Question]] {
        var groups: [[OperationPlan.Question]] = []
        for question in questions {
            let index = groups.firstIndex { $0[0].role == question.role && $0[0].resource == question.resource }
            guard let index else {
                groups.append([question])
                continue
            }
            if !groups[index].contains(question) { groups[index].append(question) }
        }
        return groups
    }

    private func denied(_ question: OperationPlan.Question, _ caller: Caller, _ reason: String) -> AWSError {
        .accessDenied(
            "User: \(question.role ?? caller.arn) is not authorized to perform: \(question.action) on resource: "
                + "\(question.resource) because \(reason)")
    }
}

/// The session of the role that asks IAM.
private struct SimulatorCredentials: AWSCredentialsProvider {
    let role: String
    let purpose: RoleSessions.Purpose
    let roles: RoleSessions

    func credentials() async throws -> AWSCredentials { try await roles.credentials(role: role, purpose) }
}
