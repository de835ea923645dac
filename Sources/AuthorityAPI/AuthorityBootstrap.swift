package import AWSProtocol
package import Accounts

/// Fills an empty authority with what the service and its first customer need; on one that is filled it changes nothing.
///
/// Each step looks before it acts, so that a run that was cut short is simply repeated.
package struct AuthorityBootstrap: Sendable {
    /// The first customer's administrator, who may do everything in the account.
    package static let administrator = "admin"

    /// Whose credentials the caller of `run` has to keep: they are never shown again.
    package struct Credentials: Sendable {
        package let account: String
        package let user: String
        package let key: NewAccessKey
    }

    package struct Result: Sendable {
        /// Of access keys that were made in this run.
        package let credentials: [Credentials]
        /// The default key of the customer's account.
        package let defaultKey: ARN
    }

    private let accounts: AccountsStore
    private let identity: ServiceIdentity
    private let ensureDefaultKey: @Sendable (String) async throws -> ARN
    private let actor = AdminActor.commandLine

    /// - Parameter ensureDefaultKey: makes the default key of an account, or finds it.
    package init(
        accounts: AccountsStore, identity: ServiceIdentity, ensureDefaultKey: @escaping @Sendable (String) async throws -> ARN
    ) {
        self.accounts = accounts
        self.identity = identity
        self.ensureDefaultKey = ensureDefaultKey
    }

    /// - Parameter lost: users whose credentials the caller no longer has (a run was cut short before they were written): their keys are
    ///   replaced.
    package func run(
        customer: String, customerName: String = "default", replacingKeysOf lost: Set<String> = []
    ) async throws -> Result {
        try await account(identity.account, name: "forecastle")
        try await account(customer, name: customerName)
        var credentials: [Credentials] = []
        for (name, policy) in ServicePolicies.users(identity) {
            if let key = try await user(name, policy: policy, account: identity.account, isLost: lost.contains(name)) {
                credentials.append(Credentials(account: identity.account, user: name, key: key))
            }
        }
        for role in ServicePolicies.roles(identity) { try await ensure(role) }
        let name = Self.administrator
        if let key = try await user(
            name, policy: ServicePolicies.administrator, account: customer, isLost: lost.contains(name))
        {
            credentials.append(Credentials(account: customer, user: name, key: key))
        }
        // Last: the key's policy names the roles that were made above.
        return Result(credentials: credentials, defaultKey: try await ensureDefaultKey(customer))
    }

    private func account(_ id: String, name: String) async throws {
        try await unlessThere { try await accounts.createAccount(id, name: name, by: actor) }
    }

    /// Makes the user with its policy and a key; a new key is answered.
    private func user(
        _ name: String, policy: String, account: String, isLost: Bool
    ) async throws -> NewAccessKey? {
        try await unlessThere { _ = try await accounts.createUser(name, account: account, by: actor) }
        if try await accounts.policies(of: .user(name), account: account).isEmpty {
            try await accounts.putPolicy(
                ServicePolicies.policyName, document: policy, of: .user(name), account: account, by: actor)
        }
        let keys = try await accounts.accessKeys(account: account, user: name)
        guard keys.isEmpty || isLost else { return nil }
        for key in keys { try await accounts.deleteAccessKey(key.accessKeyID, account: account, by: actor) }
        return try await accounts.createAccessKey(user: name, account: account, by: actor)
    }

    private func ensure(_ role: ServicePolicies.Role) async throws {
        try await unlessThere {
            _ = try await accounts.createRole(
                role.name, account: identity.account, trustPolicy: role.trustPolicy, description: role.description, by: actor)
        }
        if try await accounts.policies(of: .role(role.name), account: identity.account).isEmpty {
            try await accounts.putPolicy(
                ServicePolicies.policyName, document: role.policy, of: .role(role.name), account: identity.account, by: actor)
        }
    }

    private func unlessThere(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as AccountsError where error.code == .entityAlreadyExists {
            return
        }
    }
}
