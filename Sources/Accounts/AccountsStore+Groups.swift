import AWSProtocol
package import Postgres

extension AccountsStore {
    /// Groups of one account, and groups of one user, as IAM's quotas.
    package static let maximumGroups = 300
    package static let maximumGroupsPerUser = 10

    package func createGroup(
        _ name: String, path: String = "/", account: String, on connection: PostgresConnection
    ) async throws -> GroupEntity {
        try NameRules.name(name, of: .group)
        try NameRules.path(path)
        try await checkQuota(Self.maximumGroups, of: "user_groups", account: account, on: connection)
        try await connection.execute(
            """
            INSERT INTO user_groups (group_id, account, path, name)
            VALUES (\(Identifiers.groupID()), \(account), \(path), \(name))
            """)
        guard let group = try await group(name, account: account, on: connection) else { throw Self.missing(.group(name)) }
        return group
    }

    package func group(
        _ name: String, account: String, on connection: PostgresConnection
    ) async throws -> GroupEntity? {
        try await connection.query(
            "\(raw: Self.selectGroup) WHERE account = \(account) AND lower(name) = lower(\(name)::text)"
        ).first.map(Self.group)
    }

    package func groups(
        account: String, _ page: ListPage, on connection: PostgresConnection
    ) async throws -> Listed<GroupEntity> {
        let rows = try await connection.query(
            """
            \(raw: Self.selectGroup)
            WHERE account = \(account) AND starts_with(path, \(page.pathPrefix)::text)
              AND lower(name) COLLATE "C" > \(page.after)::text
            ORDER BY lower(name) COLLATE "C" LIMIT \(page.fetched)
            """)
        return page.cut(try rows.map(Self.group)) { $0.name.lowercased() }
    }

    package func groups(
        of user: Identity, _ page: ListPage, on connection: PostgresConnection
    ) async throws -> Listed<GroupEntity> {
        let rows = try await connection.query(
            """
            \(raw: Self.selectGroup) JOIN group_members USING (group_id)
            WHERE user_id = \(user.id) AND lower(name) COLLATE "C" > \(page.after)::text
            ORDER BY lower(name) COLLATE "C" LIMIT \(page.fetched)
            """)
        return page.cut(try rows.map(Self.group)) { $0.name.lowercased() }
    }

    package func members(
        of group: Identity, _ page: ListPage, on connection: PostgresConnection
    ) async throws -> Listed<UserEntity> {
        let rows = try await connection.query(
            """
            \(raw: Self.selectUser) JOIN group_members m ON m.user_id = u.user_id
            WHERE m.group_id = \(group.id) AND lower(u.name) COLLATE "C" > \(page.after)::text
            ORDER BY lower(u.name) COLLATE "C" LIMIT \(page.fetched)
            """)
        return page.cut(try rows.map(Self.user)) { $0.name.lowercased() }
    }

    /// Puts a user into a group; one who is in it already stays.
    package func add(_ user: Identity, to group: Identity, on connection: PostgresConnection) async throws {
        try await lock(user, on: connection)
        let others = try await connection.query(
            "SELECT 1 FROM group_members WHERE user_id = \(user.id) AND group_id <> \(group.id)"
        ).count
        guard others < Self.maximumGroupsPerUser else {
            throw AccountsError(.limitExceeded, "The user is in \(Self.maximumGroupsPerUser) groups, which is the most.")
        }
        _ = try await connection.execute(
            """
            INSERT INTO group_members (user_id, group_id) VALUES (\(user.id), \(group.id)) ON CONFLICT DO NOTHING
            """)
    }

    package func remove(_ user: Identity, from group: Identity, on connection: PostgresConnection) async throws {
        let changed = try await connection.execute(
            "DELETE FROM group_members WHERE user_id = \(user.id) AND group_id = \(group.id)")
        guard changed == 1 else { throw AccountsError(.noSuchEntity, "The user \(user.name) is not in the group \(group.name).") }
    }

    /// Deletes a group that has neither members nor policies.
    package func deleteGroup(_ group: Identity, on connection: PostgresConnection) async throws {
        try await lock(group, on: connection)
        try await refuse(
            deletionOf: group,
            over: [("members", "SELECT 1 FROM group_members WHERE group_id = \(group.id) LIMIT 1")]
                + Self.policyObstacles(of: group),
            on: connection)
        let changed = try await connection.execute("DELETE FROM user_groups WHERE group_id = \(group.id)")
        try Self.expect(changed, .group(group.name))
    }

    private static let selectGroup = "SELECT group_id, account, path, name, created_at FROM user_groups"

    private static func group(_ row: PostgresRow) throws -> GroupEntity {
        GroupEntity(
            groupID: try row.get("group_id"), account: try row.get("account"), path: try row.get("path"),
            name: try row.get("name"), createdAt: try row.get("created_at"))
    }
}
