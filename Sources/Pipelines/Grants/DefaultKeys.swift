import AWSClients
import AWSProtocol
import Synchronization

/// ARNs of the accounts' default keys, asked of the authority once an account.
package final class DefaultKeys: Sendable {
    private let roles: RoleSessions
    private let known = Mutex<[String: String]>([:])

    package init(roles: RoleSessions) {
        self.roles = roles
    }

    /// Throws InvalidInputException where the account has none.
    package func keyARN(of account: String) async throws -> String {
        if let arn = known.withLock({ $0[account] }) { return arn }
        do {
            let key = try await roles.ownKMS.describeKey(roles.principals.defaultKeyAlias(of: account))
            known.withLock { $0[account] = key.arn }
            return key.arn
        } catch {
            guard error.code == "NotFoundException" else { throw error }
            throw AWSError(
                code: "InvalidInputException",
                message: "EncryptionConfig: is required, because account \(account) has no default key in this installation.")
        }
    }
}
