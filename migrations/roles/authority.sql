-- Who may do what in the authority's database. `forecastle migrate up` applies the whole file after the migrations, and
-- again whenever the rights differ from it. The owner, forecastle_authority, runs migrations and nothing else:
--
--   forecastle_authority_server  the authority's process, and `forecastle admin`
--   forecastle_authority_reader  `forecastle audit`, `verify`, `doctor`: looks at everything
--
-- Nobody has UPDATE, DELETE or TRUNCATE on audit_records; beside that triggers refuse them, to the owner as well. API and
-- workers have no role here at all.

DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO forecastle_authority_server, forecastle_authority_reader', current_database());
END
$$;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, forecastle_authority_server, forecastle_authority_reader;

GRANT SELECT ON schema_migrations TO forecastle_authority_server, forecastle_authority_reader;

-- The trail: records are added, heads move.
GRANT SELECT, INSERT ON audit_records TO forecastle_authority_server;
GRANT SELECT, INSERT, UPDATE (sequence, hash, moved_at) ON audit_shards TO forecastle_authority_server;

-- Identities and their rights.
-- An account's row is locked where something is counted in it; locking asks for the right to change a column.
GRANT SELECT, INSERT, UPDATE (name) ON accounts TO forecastle_authority_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON users, access_keys, roles, sessions, user_policies, role_policies, user_groups,
    group_members, group_policies, managed_policies, managed_policy_versions, user_attachments, group_attachments,
    role_attachments, mfa_devices, account_aliases TO forecastle_authority_server;

-- Keys. A deleted one stays as a tombstone.
GRANT SELECT, INSERT, UPDATE ON keys TO forecastle_authority_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON key_materials, key_aliases, key_grants, key_grant_counts TO forecastle_authority_server;

-- What ties database and vault together, and what proves caches current: counts that go forward.
GRANT SELECT, UPDATE ON security_state TO forecastle_authority_server;
GRANT SELECT, INSERT, DELETE ON security_changes TO forecastle_authority_server;
GRANT SELECT, INSERT, UPDATE ON security_versions, root_keys TO forecastle_authority_server;

-- Whoever only looks. What is sealed here opens with vault and root key only, which are not in this database.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO forecastle_authority_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO forecastle_authority_reader;
