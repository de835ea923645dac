import AWSProtocol
import Accounts
import Policies

import struct FoundationEssentials.Date

extension IAMOperation {
    static let simulation = [simulatePrincipalPolicy]

    /// What a user, group or role could do, by the evaluator that decides: identity policies and boundary. Policies of resources
    /// are not part of it.
    private static let simulatePrincipalPolicy = IAMOperation(
        "SimulatePrincipalPolicy", .read,
        [
            "PolicySourceArn", "PolicyInputList", "PermissionsBoundaryPolicyInputList", "ActionNames", "ResourceArns",
            "ContextEntries",
        ] + paging
    ) { call in
        let page = try call.page()
        let source = try await call.policySource()
        let simulation = PolicySimulation(
            source: source, subject: try call.principal(for: source),
            policies: try call.adjusted(try await call.accounts.policies(of: source, on: call.connection)),
            context: try call.contextEntries())
        let actions = try call.actionNames()
        let resources = try call.parameters.list("ResourceArns")
        let questions = actions.flatMap { action in
            (resources.isEmpty ? ["*"] : resources).map { (action: action, resource: $0) }
        }
        let first = page.after.isEmpty ? 0 : Int(page.after) ?? questions.count
        let rest = questions.enumerated().dropFirst(first)
        let listed = page.cut(Array(rest)) { String($0.offset + 1) }
        return .list("EvaluationResults", listed) { simulation.result($0.element.action, on: $0.element.resource) }
    }
}

extension IAMCall {
    private static let maximumActions = 100

    fileprivate func policySource() async throws -> Identity {
        let text = try parameters.required("PolicySourceArn", IAMRules.arn)
        guard let arn = ARN(text), arn.service == "iam", let kind = Identity.Kind(rawValue: arn.resourceType) else {
            throw AWSError(
                code: "InvalidInput",
                message: "Invalid Entity Arn: \(String(text.prefix(128))) does not clearly define "
                    + "entity type and name.")
        }
        try authorize(arn)
        let found = try await accounts.identity(PolicyOwner(kind, arn.baseName), account: account, on: connection)
        guard arn.account == account, let found, found.arn == arn else {
            throw AccountsStore.missing(PolicyOwner(kind, arn.baseName))
        }
        return found
    }

    /// Who is asked about; a group is asked about as a user without a name.
    fileprivate func principal(for source: Identity) throws -> Principal {
        switch source.kind {
        case .user, .group:
            return Principal(
                kind: .user(.init(name: source.name, tags: source.tags)), account: account, arn: source.arn, userID: source.id,
                accessKeyID: "")
        case .role:
            let session = Principal.RoleSession(
                roleARN: source.arn, roleID: source.id, sessionName: "simulation", createdAt: now, expiresAt: now,
                tags: source.tags)
            return Principal(
                kind: .assumedRole(session), account: account,
                arn: .session(account: account, role: source.name, name: "simulation"), userID: "\(source.id):simulation",
                accessKeyID: "")
        }
    }

    /// With the policies that the call adds and the boundary that it puts in place of the principal's.
    fileprivate func adjusted(_ policies: SubjectPolicies) throws -> SubjectPolicies {
        var policies = policies
        for (index, text) in try parameters.list("PolicyInputList").enumerated() {
            policies.identity.append(
                AttachedPolicy(name: "PolicyInputList.\(index + 1)", document: try document(text)))
        }
        let boundaries = try parameters.list("PermissionsBoundaryPolicyInputList")
        guard boundaries.count <= 1 else {
            throw AWSError(code: "InvalidInput", message: "There may be one permissions boundary at most.")
        }
        if let text = boundaries.first {
            policies.boundary = AttachedPolicy(name: "PermissionsBoundary", document: try document(text))
        }
        return policies
    }

    private func document(_ text: String) throws -> PolicyDocument {
        do {
            return try accounts.policies.document(text, kind: .identity)
        } catch {
            throw AWSError(code: "InvalidInput", message: error.message)
        }
    }

    fileprivate func actionNames() throws -> [String] {
        let actions = try parameters.list("ActionNames")
        guard (1...Self.maximumActions).contains(actions.count) else {
            throw AWSError.validation(
                field: "ActionNames", rule: "Member must have length between 1 and \(Self.maximumActions)")
        }
        guard actions.allSatisfy({ (3...128).contains($0.utf8.count) && $0.contains(":") && !$0.contains("*") }) else {
            throw AWSError(code: "InvalidInput", message: "Invalid action: it has the form service:Name, without wildcards.")
        }
        return actions
    }

    fileprivate func contextEntries() throws -> ConditionContext {
        var context = ConditionContext()
        for entry in try parameters.structures("ContextEntries") {
            context[try entry.required("ContextKeyName", StringRule(length: 5...256))] = try entry.list("ContextKeyValues")
        }
        return context
    }
}
