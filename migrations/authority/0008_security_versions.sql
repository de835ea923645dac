-- Versions that prove caches current.
--
-- Each change of what a decision may rest on counts up the version of its scope, in the same transaction: here and not in the program, so that no
-- statement can forget it. A process that decides from a cache compares the versions in the transaction that records the
-- decision. Scopes: `key:<key id>`, `account:<account>`, and `*` for what belongs to neither.
--
-- A table that is added later needs a trigger too; `FreshnessTests` finds one that has none.

CREATE TABLE security_versions (
    scope       text PRIMARY KEY CHECK (char_length(scope) BETWEEN 1 AND 128),
    version     bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    -- The transaction that counted last.
    changed_by  text NOT NULL
) WITH (fillfactor = 50);

-- Unique for good: a server that a dump is restored on counts its transactions from the start again.
CREATE FUNCTION security_transaction() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT pg_current_xact_id()::text || '@' || extract(epoch FROM pg_postmaster_start_time())::text
$$;

-- Once a transaction, so that a transaction can tell its own changes from those of others. The row stays locked until its end.
CREATE FUNCTION security_count(changed text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO security_versions AS v (scope, changed_by) VALUES (changed, security_transaction())
    ON CONFLICT (scope) DO UPDATE SET version = v.version + 1, changed_by = EXCLUDED.changed_by
    WHERE v.changed_by <> EXCLUDED.changed_by
$$;

-- For tables with a column key_id.
CREATE FUNCTION security_key_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM security_count('key:' || NEW.key_id);
    ELSIF TG_OP = 'DELETE' OR NEW.key_id = OLD.key_id THEN
        PERFORM security_count('key:' || OLD.key_id);
    ELSE
        -- In one order, so that two such changes do not wait for each other.
        PERFORM security_count('key:' || LEAST(OLD.key_id, NEW.key_id));
        PERFORM security_count('key:' || GREATEST(OLD.key_id, NEW.key_id));
    END IF;
    RETURN NULL;
END
$$;

-- For tables with a column account, which never changes.
CREATE FUNCTION security_account_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM security_count('account:' || OLD.account);
    ELSE
        PERFORM security_count('account:' || NEW.account);
        IF TG_OP = 'UPDATE' AND NEW.account <> OLD.account THEN PERFORM security_count('account:' || OLD.account); END IF;
    END IF;
    RETURN NULL;
END
$$;

-- For tables with a column user_id. A row that goes with its user finds no account any more; the user's own row counts then.
CREATE FUNCTION security_user_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM security_count('account:' || account) FROM users WHERE user_id = NEW.user_id;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM security_count('account:' || account) FROM users WHERE user_id = OLD.user_id;
    END IF;
    RETURN NULL;
END
$$;

-- The same for a column role_id.
CREATE FUNCTION security_role_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM security_count('account:' || account) FROM roles WHERE role_id = NEW.role_id;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM security_count('account:' || account) FROM roles WHERE role_id = OLD.role_id;
    END IF;
    RETURN NULL;
END
$$;

-- For tables of which nothing better is known, and for TRUNCATE.
CREATE FUNCTION security_everything_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM security_count('*');
    RETURN NULL;
END
$$;

CREATE TRIGGER keys_versioned AFTER INSERT OR UPDATE OR DELETE ON keys
    FOR EACH ROW EXECUTE FUNCTION security_key_changed();
CREATE TRIGGER key_materials_versioned AFTER INSERT OR UPDATE OR DELETE ON key_materials
    FOR EACH ROW EXECUTE FUNCTION security_key_changed();
CREATE TRIGGER key_aliases_versioned AFTER INSERT OR UPDATE OR DELETE ON key_aliases
    FOR EACH ROW EXECUTE FUNCTION security_key_changed();
CREATE TRIGGER key_grants_versioned AFTER INSERT OR UPDATE OR DELETE ON key_grants
    FOR EACH ROW EXECUTE FUNCTION security_key_changed();

CREATE TRIGGER accounts_versioned AFTER INSERT OR UPDATE OR DELETE ON accounts
    FOR EACH ROW EXECUTE FUNCTION security_account_changed();
CREATE TRIGGER users_versioned AFTER INSERT OR UPDATE OR DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION security_account_changed();
CREATE TRIGGER access_keys_versioned AFTER INSERT OR UPDATE OR DELETE ON access_keys
    FOR EACH ROW EXECUTE FUNCTION security_account_changed();
CREATE TRIGGER roles_versioned AFTER INSERT OR UPDATE OR DELETE ON roles
    FOR EACH ROW EXECUTE FUNCTION security_account_changed();
CREATE TRIGGER user_policies_versioned AFTER INSERT OR UPDATE OR DELETE ON user_policies
    FOR EACH ROW EXECUTE FUNCTION security_user_changed();
CREATE TRIGGER role_policies_versioned AFTER INSERT OR UPDATE OR DELETE ON role_policies
    FOR EACH ROW EXECUTE FUNCTION security_role_changed();

-- For tables with a column group_id and for those with a column policy_id. A row that goes with its group or policy finds no account any more;
-- the group's or policy's own row counts then.
CREATE FUNCTION security_group_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM security_count('account:' || account) FROM user_groups WHERE group_id = NEW.group_id;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM security_count('account:' || account) FROM user_groups WHERE group_id = OLD.group_id;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION security_policy_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM security_count('account:' || account) FROM managed_policies WHERE policy_id = NEW.policy_id;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM security_count('account:' || account) FROM managed_policies WHERE policy_id = OLD.policy_id;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER user_groups_versioned AFTER INSERT OR UPDATE OR DELETE ON user_groups
    FOR EACH ROW EXECUTE FUNCTION security_account_changed();
CREATE TRIGGER group_members_versioned AFTER INSERT OR UPDATE OR DELETE ON group_members
    FOR EACH ROW EXECUTE FUNCTION security_group_changed();
CREATE TRIGGER group_policies_versioned AFTER INSERT OR UPDATE OR DELETE ON group_policies
    FOR EACH ROW EXECUTE FUNCTION security_group_changed();
CREATE TRIGGER managed_policies_versioned AFTER INSERT OR UPDATE OR DELETE ON managed_policies
    FOR EACH ROW EXECUTE FUNCTION security_account_changed();
CREATE TRIGGER managed_policy_versions_versioned AFTER INSERT OR UPDATE OR DELETE ON managed_policy_versions
    FOR EACH ROW EXECUTE FUNCTION security_policy_changed();
CREATE TRIGGER user_attachments_versioned AFTER INSERT OR UPDATE OR DELETE ON user_attachments
    FOR EACH ROW EXECUTE FUNCTION security_policy_changed();
CREATE TRIGGER group_attachments_versioned AFTER INSERT OR UPDATE OR DELETE ON group_attachments
    FOR EACH ROW EXECUTE FUNCTION security_policy_changed();
CREATE TRIGGER role_attachments_versioned AFTER INSERT OR UPDATE OR DELETE ON role_attachments
    FOR EACH ROW EXECUTE FUNCTION security_policy_changed();
-- A code that is looked at is counted in the device's row, in a transaction before the one that it is shown for: that
-- must not outdate what the same request took from a cache.
CREATE TRIGGER mfa_devices_versioned AFTER INSERT OR UPDATE OF user_id OR DELETE ON mfa_devices
    FOR EACH ROW EXECUTE FUNCTION security_account_changed();
CREATE TRIGGER account_aliases_versioned AFTER INSERT OR UPDATE OR DELETE ON account_aliases
    FOR EACH ROW EXECUTE FUNCTION security_account_changed();

-- A new session is in no cache yet, and an expired one is believed by none: neither counts, because each AssumeRole
-- makes one and clears others away.
CREATE TRIGGER sessions_versioned AFTER UPDATE ON sessions
    FOR EACH ROW EXECUTE FUNCTION security_role_changed();
CREATE TRIGGER sessions_ended_versioned AFTER DELETE ON sessions
    FOR EACH ROW WHEN (OLD.expires_at > clock_timestamp()) EXECUTE FUNCTION security_role_changed();

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'keys', 'key_materials', 'key_aliases', 'key_grants', 'accounts', 'users', 'access_keys', 'roles', 'user_policies',
        'role_policies', 'sessions', 'user_groups', 'group_members', 'group_policies', 'managed_policies',
        'managed_policy_versions', 'user_attachments', 'group_attachments', 'role_attachments', 'mfa_devices', 'account_aliases'
    ] LOOP
        EXECUTE format(
            'CREATE TRIGGER %I AFTER TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION security_everything_changed()',
            name || '_truncated_versioned', name);
    END LOOP;
END
$$;

CREATE FUNCTION security_versions_count_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.scope = OLD.scope AND NEW.version = OLD.version + 1 THEN RETURN NEW; END IF;
    RAISE EXCEPTION 'a security version only counts up: % on %', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER security_versions_count_up BEFORE UPDATE OR DELETE ON security_versions
    FOR EACH ROW EXECUTE FUNCTION security_versions_count_up();
CREATE TRIGGER security_versions_never_truncated BEFORE TRUNCATE ON security_versions
    FOR EACH STATEMENT EXECUTE FUNCTION security_versions_count_up();
