import AWSProtocol
package import Accounts
import AuditTrail
package import Policies
import Postgres

extension KeyService: KeyAccessDecider {
    /// Decides for another service of the authority that asks on a principal's behalf; nothing is done and nothing recorded: the
    /// asker's own record is the one of the call.
    package func decide(
        principal: Principal, circumstances: RequestCircumstances, action: String, key: String,
        encryptionContext: [String: String], context: ConditionContext
    ) async throws -> KeyAccess {
        guard action.hasPrefix("kms:"), let operation = KeyOperation(rawValue: String(action.dropFirst(4))),
            operation.isPermission
        else {
            return KeyAccess(isAllowed: false, code: "ValidationException", message: "The action is not one of KMS.")
        }
        let caller = KeyCaller(principal: principal, circumstances: circumstances)
        do {
            let reference = try KeyReference(key)
            return try await pool.transaction { connection in
                // What is known of the principal and of keys wins over what the asker says.
                var known = context
                known.merge(caller.context)
                known.merge(Self.keyConditions)
                var input = DecisionInput(encryptionContext: encryptionContext, context: known, acceptsAlias: true)
                input.context.merge(Self.aliasCondition(reference))
                _ = try await self.decide(
                    caller, operation, reference, input, concerns: { _ in }, reading: self.reading(on: connection))
                return .allowed
            }
        } catch let error as KeyError where error.code != .internal {
            return KeyAccess(isAllowed: false, code: error.code.wireName, message: error.message)
        }
    }
}
