package import AWSProtocol
import Accounts
package import Policies
package import Postgres

/// Why KMS would let a call through or refuse it.
package struct KeyExplanation: Sendable {
    /// Nil where another account's key does not exist.
    package let key: ARN?
    package let decision: Decision
    /// What would refuse a call that is allowed: the key's state, or the grant that it rests on.
    package let refusal: KeyError?
}

extension KeyService {
    /// Decides as a call would be decided, by the same function, and keeps what it rests on; for operators, who may see both sides.
    ///
    /// - Parameter context: further condition keys; they win over those of the principal.
    package func explain(
        _ operation: KeyOperation, by caller: KeyCaller, key reference: KeyReference, encryptionContext: [String: String],
        context: ConditionContext, on connection: PostgresConnection
    ) async throws -> KeyExplanation {
        var input = DecisionInput(encryptionContext: encryptionContext, context: context, acceptsAlias: true)
        if operation == .createGrant { input.context.setEncryptionContext(encryptionContext) }
        input.context.merge(Self.aliasCondition(reference))
        guard
            let key = try await KeyRows.find(reference, account: caller.account, region: region, on: connection)
        else { return try await explainAbsent(operation, by: caller, reference, context, on: connection) }
        let decided = try await authorize(caller, key: key, operation: operation, input: input, reading: reading(on: connection))
        var refusal = key.metadata.state.refusal(of: operation, key: key.arn)
        if operation == .createGrant, let parent = try decided.grant?.policyGrant(for: caller) {
            let operations = Set(context["kms:GrantOperations"] ?? [])
            let constraints: Grant.Constraints =
                switch context["kms:GrantConstraintType"]?.first {
                case "EncryptionContextEquals": .init(equals: encryptionContext)
                case "EncryptionContextSubset": .init(subset: encryptionContext)
                default: .none
                }
            if !parent.permits(childOperations: operations, constraints: constraints) { refusal = .widerThanItsGrant }
        }
        return KeyExplanation(key: key.arn, decision: decided.decision, refusal: refusal)
    }

    private func explainAbsent(
        _ operation: KeyOperation, by caller: KeyCaller, _ reference: KeyReference, _ context: ConditionContext,
        on connection: PostgresConnection
    ) async throws -> KeyExplanation {
        switch reference {
        case .keyARN(let arn) where arn.account != caller.account, .aliasARN(let arn) where arn.account != caller.account:
            var all = caller.context
            all.merge(context)
            let request = AuthorizationRequest(
                subject: caller.subject, action: operation.action, resource: arn.description, context: all)
            let policies = try await accounts.policies(of: caller.principal, on: connection)
            return KeyExplanation(
                key: nil, decision: PolicyEvaluator.decideAbsentForeignKey(request, policies: policies), refusal: nil)
        default:
            throw KeyError(.notFound, "The principal's account has no such key in this region.")
        }
    }
}

extension KeyError {
    static let widerThanItsGrant = KeyError(
        .accessDenied, "A grant cannot hand on more than the grant that allows it.")
}
