-- Groups, managed policies, permissions boundaries, tags, second factors, and sessions of users.

-- Tags are a JSON array of {"Key", "Value"} in the order they were set.
ALTER TABLE users
    ADD COLUMN tags text NOT NULL DEFAULT '[]' CHECK (octet_length(tags) <= 131072),
    ADD COLUMN boundary_id text;
ALTER TABLE roles
    ADD COLUMN tags text NOT NULL DEFAULT '[]' CHECK (octet_length(tags) <= 131072),
    ADD COLUMN boundary_id text;

CREATE TABLE user_groups (
    group_id    text PRIMARY KEY CHECK (group_id ~ '^AGPA[A-Z2-7]{17}$'),
    account     text NOT NULL REFERENCES accounts (account),
    path        text NOT NULL CHECK (path ~ '^/([!-.0-~]+/)*$' AND char_length(path) <= 512),
    name        text NOT NULL CHECK (name ~ '^[A-Za-z0-9_+=,.@-]{1,128}$'),
    created_at  timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp())
);

CREATE UNIQUE INDEX user_groups_by_name ON user_groups (account, lower(name));

-- A user leaves its groups when it is deleted; a group with members cannot be deleted.
CREATE TABLE group_members (
    user_id     text NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    group_id    text NOT NULL REFERENCES user_groups (group_id),
    PRIMARY KEY (user_id, group_id)
);

CREATE INDEX group_members_by_group ON group_members (group_id);

CREATE TABLE group_policies (
    group_id    text NOT NULL REFERENCES user_groups (group_id),
    name        text NOT NULL CHECK (name ~ '^[A-Za-z0-9_+=,.@-]{1,128}$'),
    document    text NOT NULL CHECK (char_length(document) BETWEEN 1 AND 131072),
    PRIMARY KEY (group_id, name)
);

CREATE TABLE managed_policies (
    policy_id       text PRIMARY KEY CHECK (policy_id ~ '^ANPA[A-Z2-7]{17}$'),
    account         text NOT NULL REFERENCES accounts (account),
    path            text NOT NULL CHECK (path ~ '^/([!-.0-~]+/)*$' AND char_length(path) <= 512),
    name            text NOT NULL CHECK (name ~ '^[A-Za-z0-9_+=,.@-]{1,128}$'),
    description     text NOT NULL DEFAULT '' CHECK (char_length(description) <= 1000),
    tags            text NOT NULL DEFAULT '[]' CHECK (octet_length(tags) <= 131072),
    default_version int NOT NULL,
    -- Numbers of versions are never used again.
    latest_version  int NOT NULL CHECK (latest_version >= default_version),
    created_at      timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
    updated_at      timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp())
);

CREATE UNIQUE INDEX managed_policies_by_name ON managed_policies (account, lower(name));

CREATE TABLE managed_policy_versions (
    policy_id   text NOT NULL REFERENCES managed_policies (policy_id) ON DELETE CASCADE,
    version     int NOT NULL CHECK (version > 0),
    document    text NOT NULL CHECK (char_length(document) BETWEEN 1 AND 131072),
    created_at  timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
    PRIMARY KEY (policy_id, version)
);

-- There is always a default version, and it cannot be deleted. Policy and first version are made together, hence deferred.
ALTER TABLE managed_policies ADD CONSTRAINT managed_policies_default
    FOREIGN KEY (policy_id, default_version) REFERENCES managed_policy_versions (policy_id, version)
    DEFERRABLE INITIALLY DEFERRED;

-- A policy that is in use cannot be deleted.
ALTER TABLE users ADD CONSTRAINT users_boundary FOREIGN KEY (boundary_id) REFERENCES managed_policies (policy_id);
ALTER TABLE roles ADD CONSTRAINT roles_boundary FOREIGN KEY (boundary_id) REFERENCES managed_policies (policy_id);
CREATE INDEX users_by_boundary ON users (boundary_id) WHERE boundary_id IS NOT NULL;
CREATE INDEX roles_by_boundary ON roles (boundary_id) WHERE boundary_id IS NOT NULL;

CREATE TABLE user_attachments (
    user_id     text NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    policy_id   text NOT NULL REFERENCES managed_policies (policy_id),
    PRIMARY KEY (user_id, policy_id)
);

CREATE TABLE group_attachments (
    group_id    text NOT NULL REFERENCES user_groups (group_id),
    policy_id   text NOT NULL REFERENCES managed_policies (policy_id),
    PRIMARY KEY (group_id, policy_id)
);

CREATE TABLE role_attachments (
    role_id     text NOT NULL REFERENCES roles (role_id) ON DELETE CASCADE,
    policy_id   text NOT NULL REFERENCES managed_policies (policy_id),
    PRIMARY KEY (role_id, policy_id)
);

CREATE INDEX user_attachments_by_policy ON user_attachments (policy_id);
CREATE INDEX group_attachments_by_policy ON group_attachments (policy_id);
CREATE INDEX role_attachments_by_policy ON role_attachments (policy_id);

-- Virtual MFA devices. The seed is sealed as secrets of access keys are.
CREATE TABLE mfa_devices (
    device_id       uuid PRIMARY KEY,
    account         text NOT NULL REFERENCES accounts (account),
    path            text NOT NULL CHECK (path ~ '^/([!-.0-~]+/)*$' AND char_length(path) <= 512),
    name            text NOT NULL CHECK (name ~ '^[A-Za-z0-9_+=,.@-]{1,128}$'),
    sealed_seed     bytea NOT NULL,
    tags            text NOT NULL DEFAULT '[]' CHECK (octet_length(tags) <= 131072),
    -- Null until the device is enabled for a user, who cannot be deleted then.
    user_id         text REFERENCES users (user_id),
    enabled_at      timestamptz,
    -- The last time step whose code was accepted: no code is taken twice.
    last_step       bigint,
    -- Steps that the device's clock is ahead of ours.
    drift_steps     int NOT NULL DEFAULT 0 CHECK (abs(drift_steps) <= 20),
    -- Wrong codes since the last right one.
    failures        int NOT NULL DEFAULT 0 CHECK (failures >= 0),
    failed_at       timestamptz,
    created_at      timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
    CHECK ((user_id IS NULL) = (enabled_at IS NULL)),
    CHECK (user_id IS NULL OR last_step IS NOT NULL)
);

CREATE UNIQUE INDEX mfa_devices_by_name ON mfa_devices (account, lower(name));
CREATE INDEX mfa_devices_by_user ON mfa_devices (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE account_aliases (
    account     text PRIMARY KEY REFERENCES accounts (account),
    alias       text NOT NULL UNIQUE CHECK (alias ~ '^[a-z0-9](-?[a-z0-9])+$' AND char_length(alias) BETWEEN 3 AND 63)
);

-- A session is of a role or of a user. A user's ends with the user and with the access key that it was made with.
ALTER TABLE sessions
    ALTER COLUMN role_id DROP NOT NULL,
    ALTER COLUMN name DROP NOT NULL,
    ADD COLUMN user_id text REFERENCES users (user_id) ON DELETE CASCADE,
    ADD COLUMN made_with text REFERENCES access_keys (access_key_id) ON DELETE CASCADE,
    -- When the second factor was shown.
    ADD COLUMN mfa_at timestamptz,
    -- Session tags, those that came through a chain included; and the keys of those that go on through it.
    ADD COLUMN tags text NOT NULL DEFAULT '[]' CHECK (octet_length(tags) <= 131072),
    ADD COLUMN transitive_tag_keys text[] NOT NULL DEFAULT '{}',
    -- Managed policies that narrow the session; one that is deleted allows nothing from then on.
    ADD COLUMN session_policy_ids text[] CHECK (cardinality(session_policy_ids) BETWEEN 1 AND 10),
    ADD CHECK (num_nonnulls(role_id, user_id) = 1),
    ADD CHECK ((role_id IS NULL) = (name IS NULL)),
    ADD CHECK ((user_id IS NULL) = (made_with IS NULL)),
    ADD CHECK (user_id IS NULL OR num_nonnulls(session_policy, session_policy_ids, source_identity, source_arn) = 0);

CREATE INDEX sessions_by_user ON sessions (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX sessions_by_access_key ON sessions (made_with) WHERE made_with IS NOT NULL;

-- What takes rights away, or adds a Deny, may not come back with an older database (0004_vault.sql).
CREATE TRIGGER group_members_security AFTER INSERT OR DELETE ON group_members
    FOR EACH ROW EXECUTE FUNCTION security_changed();
CREATE TRIGGER group_policies_security AFTER INSERT OR UPDATE OR DELETE ON group_policies
    FOR EACH ROW EXECUTE FUNCTION security_changed();
CREATE TRIGGER managed_policies_security AFTER UPDATE OF default_version ON managed_policies
    FOR EACH ROW WHEN (OLD.default_version <> NEW.default_version) EXECUTE FUNCTION security_changed();
CREATE TRIGGER managed_policies_gone AFTER DELETE ON managed_policies FOR EACH ROW EXECUTE FUNCTION security_changed();
CREATE TRIGGER user_attachments_security AFTER INSERT OR DELETE ON user_attachments
    FOR EACH ROW EXECUTE FUNCTION security_changed();
CREATE TRIGGER group_attachments_security AFTER INSERT OR DELETE ON group_attachments
    FOR EACH ROW EXECUTE FUNCTION security_changed();
CREATE TRIGGER role_attachments_security AFTER INSERT OR DELETE ON role_attachments
    FOR EACH ROW EXECUTE FUNCTION security_changed();
CREATE TRIGGER users_boundary_security AFTER UPDATE OF boundary_id ON users
    FOR EACH ROW WHEN (OLD.boundary_id IS DISTINCT FROM NEW.boundary_id) EXECUTE FUNCTION security_changed();
CREATE TRIGGER roles_boundary_security AFTER UPDATE OF boundary_id ON roles
    FOR EACH ROW WHEN (OLD.boundary_id IS DISTINCT FROM NEW.boundary_id) EXECUTE FUNCTION security_changed();
CREATE TRIGGER mfa_devices_security AFTER UPDATE OF user_id ON mfa_devices
    FOR EACH ROW WHEN (OLD.user_id IS DISTINCT FROM NEW.user_id) EXECUTE FUNCTION security_changed();

CREATE OR REPLACE FUNCTION refuse_retired_root_key() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    used int;
BEGIN
    CASE TG_ARGV[0]
        WHEN 'sealed' THEN used := root_key_version(NEW.sealed);
        WHEN 'sealed_seed' THEN used := root_key_version(NEW.sealed_seed);
        ELSE used := root_key_version(NEW.sealed_secret);
    END CASE;
    IF EXISTS (SELECT FROM root_keys WHERE version = used AND state = 'retired') THEN
        RAISE EXCEPTION 'version % of the root key is retired', used USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER mfa_devices_root_key BEFORE INSERT OR UPDATE OF sealed_seed ON mfa_devices
    FOR EACH ROW EXECUTE FUNCTION refuse_retired_root_key('sealed_seed');
