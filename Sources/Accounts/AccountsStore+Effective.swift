package import Policies
package import Postgres

extension AccountsStore {
    /// What a principal's own policies are now: of the user and its groups, or of the session's role with what the session was
    /// narrowed to, inline and managed; and the boundary.
    ///
    /// Throws where a stored document does not parse: what cannot be read might be a Deny.
    package func policies(
        of principal: Principal, on connection: PostgresConnection
    ) async throws -> SubjectPolicies {
        switch principal.kind {
        case .root:
            return .none
        case .user:
            return try gathered(try await connection.query(Self.policiesOfUser(principal.userID)))
        case .assumedRole(let session) where principal.accessKeyID.isEmpty:
            // A session that the role could have (`RoleEntity.principal`): nothing narrows it.
            return try gathered(try await connection.query(Self.policiesOfRole(session.roleID)))
        case .assumedRole(let session):
            let rows = try await connection.query(
                Self.policiesOfSession(principal.accessKeyID, roleID: session.roleID))
            // A session that is gone since it signed has no right left; an empty session policy would be none at all.
            guard try rows.contains(where: { try $0.get("source") == Source.session.rawValue }) else {
                throw AccountsError(.sessionEnded, "The session has ended.")
            }
            return try gathered(rows)
        }
    }

    /// What the policies of a user, group or role are now, for questions about it.
    package func policies(of identity: Identity, on connection: PostgresConnection) async throws -> SubjectPolicies {
        let query =
            switch identity.kind {
            case .user: Self.policiesOfUser(identity.id)
            case .group: Self.policiesOfGroup(identity.id)
            case .role: Self.policiesOfRole(identity.id)
            }
        return try gathered(try await connection.query(query))
    }

    package func policies(of role: RoleEntity, on connection: PostgresConnection) async throws -> SubjectPolicies {
        try await policies(of: Identity(role), on: connection)
    }

    // MARK: Reading

    /// What a row is.
    private enum Source: String {
        case identity, boundary
        /// That the session exists, and in `name` whether it was narrowed.
        case session
        case sessionPolicy = "session policy"
    }

    private static let narrowed = "narrowed"
    private static let deletedSessionPolicies = "deleted"

    private func gathered(_ rows: [PostgresRow]) throws -> SubjectPolicies {
        var policies = SubjectPolicies()
        var isNarrowed = false
        for row in rows {
            let name: String = try row.get("name")
            let text: String = try row.get("document")
            switch Source(rawValue: try row.get("source")) {
            case .identity:
                policies.identity.append(
                    AttachedPolicy(name: name, document: try self.policies.document(text, kind: .identity)))
            case .boundary:
                policies.boundary = AttachedPolicy(name: name, document: try self.policies.document(text, kind: .identity))
            case .session:
                isNarrowed = name == Self.narrowed
            case .sessionPolicy:
                // A managed policy may be longer than one that is given inline.
                let isInline = name.isEmpty
                policies.session.append(
                    AttachedPolicy(
                        name: isInline ? Self.inlineSessionPolicy : name,
                        document: try self.policies.document(text, kind: isInline ? .session : .identity)))
            case nil:
                throw AccountsError(.malformedPolicy, "A policy of an unknown kind was read.")
            }
        }
        // One whose managed policies were all deleted is narrowed to nothing.
        if isNarrowed, policies.session.isEmpty {
            policies.session = [AttachedPolicy(name: Self.deletedSessionPolicies, document: .allowingNothing)]
        }
        return policies
    }

    private static func policiesOfUser(_ id: String) -> PostgresQuery {
        """
        SELECT 'identity' AS source, name, document FROM user_policies WHERE user_id = \(id)
        UNION ALL
        SELECT 'identity', g.name || '/' || p.name, p.document
        FROM group_members m JOIN user_groups g USING (group_id) JOIN group_policies p USING (group_id)
        WHERE m.user_id = \(id)
        UNION ALL
        SELECT 'identity', p.name, v.document
        FROM (
            SELECT policy_id FROM user_attachments WHERE user_id = \(id)
            UNION
            SELECT a.policy_id FROM group_members m JOIN group_attachments a USING (group_id) WHERE m.user_id = \(id)
        ) a JOIN managed_policies p USING (policy_id)
            JOIN managed_policy_versions v ON v.policy_id = p.policy_id AND v.version = p.default_version
        UNION ALL
        SELECT 'boundary', p.name, v.document
        FROM users u JOIN managed_policies p ON p.policy_id = u.boundary_id
            JOIN managed_policy_versions v ON v.policy_id = p.policy_id AND v.version = p.default_version
        WHERE u.user_id = \(id)
        ORDER BY 1, 2
        """
    }

    private static func policiesOfGroup(_ id: String) -> PostgresQuery {
        """
        SELECT 'identity' AS source, name, document FROM group_policies WHERE group_id = \(id)
        UNION ALL
        SELECT 'identity', p.name, v.document
        FROM group_attachments a JOIN managed_policies p USING (policy_id)
            JOIN managed_policy_versions v ON v.policy_id = p.policy_id AND v.version = p.default_version
        WHERE a.group_id = \(id)
        ORDER BY 1, 2
        """
    }

    private static func policiesOfRole(_ id: String) -> PostgresQuery {
        """
        SELECT 'identity' AS source, name, document FROM role_policies WHERE role_id = \(id)
        UNION ALL
        SELECT 'identity', p.name, v.document
        FROM role_attachments a JOIN managed_policies p USING (policy_id)
            JOIN managed_policy_versions v ON v.policy_id = p.policy_id AND v.version = p.default_version
        WHERE a.role_id = \(id)
        UNION ALL
        SELECT 'boundary', p.name, v.document
        FROM roles r JOIN managed_policies p ON p.policy_id = r.boundary_id
            JOIN managed_policy_versions v ON v.policy_id = p.policy_id AND v.version = p.default_version
        WHERE r.role_id = \(id)
        ORDER BY 1, 2
        """
    }

    private static func policiesOfSession(_ accessKeyID: String, roleID: String) -> PostgresQuery {
        """
        SELECT 'identity' AS source, name, document FROM role_policies WHERE role_id = \(roleID)
        UNION ALL
        SELECT 'identity', p.name, v.document
        FROM role_attachments a JOIN managed_policies p USING (policy_id)
            JOIN managed_policy_versions v ON v.policy_id = p.policy_id AND v.version = p.default_version
        WHERE a.role_id = \(roleID)
        UNION ALL
        SELECT 'boundary', p.name, v.document
        FROM roles r JOIN managed_policies p ON p.policy_id = r.boundary_id
            JOIN managed_policy_versions v ON v.policy_id = p.policy_id AND v.version = p.default_version
        WHERE r.role_id = \(roleID)
        UNION ALL
        SELECT 'session', CASE WHEN num_nonnulls(session_policy, session_policy_ids) > 0 THEN 'narrowed' ELSE '' END, ''
        FROM sessions WHERE access_key_id = \(accessKeyID) AND role_id = \(roleID)
        UNION ALL
        SELECT 'session policy', '', session_policy
        FROM sessions WHERE access_key_id = \(accessKeyID) AND role_id = \(roleID) AND session_policy IS NOT NULL
        UNION ALL
        SELECT 'session policy', p.name, v.document
        FROM sessions s JOIN managed_policies p ON p.policy_id = ANY (s.session_policy_ids)
            JOIN managed_policy_versions v ON v.policy_id = p.policy_id AND v.version = p.default_version
        WHERE s.access_key_id = \(accessKeyID) AND s.role_id = \(roleID)
        ORDER BY 1, 2
        """
    }
}
