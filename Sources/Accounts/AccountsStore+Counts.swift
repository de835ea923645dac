package import Postgres

/// How many of everything an account has.
package struct AccountCounts: Sendable, Hashable {
    package let users: Int
    package let groups: Int
    package let roles: Int
    package let policies: Int
    package let policyVersions: Int
    package let mfaDevices: Int
    package let mfaDevicesInUse: Int
    package let rootAccessKeys: Int
}

extension AccountsStore {
    package func counts(of account: String, on connection: PostgresConnection) async throws -> AccountCounts {
        let rows = try await connection.query(
            """
            SELECT (SELECT count(*) FROM users WHERE account = a.account) AS users,
                   (SELECT count(*) FROM user_groups WHERE account = a.account) AS groups,
                   (SELECT count(*) FROM roles WHERE account = a.account) AS roles,
                   (SELECT count(*) FROM managed_policies WHERE account = a.account) AS policies,
                   (SELECT count(*) FROM managed_policy_versions JOIN managed_policies p USING (policy_id)
                    WHERE p.account = a.account) AS policy_versions,
                   (SELECT count(*) FROM mfa_devices WHERE account = a.account) AS mfa_devices,
                   (SELECT count(user_id) FROM mfa_devices WHERE account = a.account) AS mfa_devices_in_use,
                   (SELECT count(*) FROM access_keys WHERE account = a.account AND user_id IS NULL) AS root_access_keys
            FROM accounts a WHERE account = \(account)
            """)
        guard let row = rows.first else { throw AccountsError(.noSuchEntity, "The account does not exist.") }
        return AccountCounts(
            users: try row.get("users"), groups: try row.get("groups"), roles: try row.get("roles"),
            policies: try row.get("policies"), policyVersions: try row.get("policy_versions"),
            mfaDevices: try row.get("mfa_devices"), mfaDevicesInUse: try row.get("mfa_devices_in_use"),
            rootAccessKeys: try row.get("root_access_keys"))
    }

    /// One alias an account, another in place of it; no two accounts have the same.
    package func putAlias(_ alias: String, of account: String, on connection: PostgresConnection) async throws {
        let changed = try await connection.execute(
            """
            INSERT INTO account_aliases (account, alias) VALUES (\(account), \(alias))
            ON CONFLICT (account) DO UPDATE SET alias = EXCLUDED.alias
            """)
        guard changed == 1 else { throw AccountsError(.noSuchEntity, "The account does not exist.") }
    }

    package func aliases(of account: String, on connection: PostgresConnection) async throws -> [String] {
        try await connection.query("SELECT alias FROM account_aliases WHERE account = \(account)").map { try $0.get("alias") }
    }

    package func deleteAlias(_ alias: String, of account: String, on connection: PostgresConnection) async throws {
        let changed = try await connection.execute(
            "DELETE FROM account_aliases WHERE account = \(account) AND alias = \(alias)")
        guard changed == 1 else {
            throw AccountsError(.noSuchEntity, "The account alias with name \(alias) cannot be found.")
        }
    }
}
