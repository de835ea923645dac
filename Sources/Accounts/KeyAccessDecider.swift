package import Policies

/// Answers whether a principal may use a key, for other services that ask on its behalf. `Keys` implements it with key policy, grants,
/// the principal's policies and the key's state.
package protocol KeyAccessDecider: Sendable {
    /// - Parameters:
    ///   - action: such as `kms:Decrypt`.
    ///   - key: ARN of a key, an alias, or a key id of the principal's account.
    ///   - context: further condition keys of the request; those of the principal and of the circumstances are added.
    /// - Returns: the decision and, where the key is in no state to be used, the error that KMS would give.
    func decide(
        principal: Principal, circumstances: RequestCircumstances, action: String, key: String,
        encryptionContext: [String: String], context: ConditionContext
    ) async throws -> KeyAccess
}

/// The answer of a `KeyAccessDecider`.
package struct KeyAccess: Sendable {
    package let isAllowed: Bool
    /// Of KMS: `AccessDeniedException`, `NotFoundException`, `DisabledException`…; empty where it is allowed.
    package let code: String
    /// Safe to show to the principal.
    package let message: String

    package init(isAllowed: Bool, code: String, message: String) {
        self.isAllowed = isAllowed
        self.code = code
        self.message = message
    }

    package static let allowed = KeyAccess(isAllowed: true, code: "", message: "")
}
