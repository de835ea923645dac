-- What ties this database to its vault: the security epoch, versions of the root key, and the tag on sealed bytes.
--
-- The vault holds a copy of epoch and audit heads that never runs ahead of this database. So a database that is behind its
-- vault is an old one, and is refused at start.

CREATE TABLE security_state (
    single      boolean PRIMARY KEY DEFAULT true CHECK (single),
    -- The vault that this database belongs to; null before the first start.
    vault       uuid,
    -- Rises each time an older database is accepted: what the vault noted before that does not bind it any more.
    incarnation int NOT NULL DEFAULT 1 CHECK (incarnation > 0),
    -- Without the rows of security_changes; the epoch is the sum of both.
    epoch       bigint NOT NULL DEFAULT 0 CHECK (epoch >= 0)
);

INSERT INTO security_state DEFAULT VALUES;

CREATE FUNCTION security_state_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.incarnation, NEW.epoch) < (OLD.incarnation, OLD.epoch) OR NEW.epoch < OLD.epoch THEN
        RAISE EXCEPTION 'the security epoch only moves forward' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER security_state_moves_forward
    BEFORE UPDATE OR DELETE ON security_state
    FOR EACH ROW EXECUTE FUNCTION security_state_moves_forward();

-- One row for each change that takes a right away or must not be rolled back, added by the transaction of that change and
-- folded into the epoch later: changes of several processes do not wait for one another, and none is missed, in whatever
-- order they commit.
CREATE TABLE security_changes (
    change      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    what        text NOT NULL
);

CREATE FUNCTION security_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO security_changes (what) VALUES (TG_TABLE_NAME || ' ' || TG_OP);
    RETURN NULL;
END
$$;

-- For statements that may change many rows: one change, and none where no row changed.
CREATE FUNCTION security_rows_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM gone) THEN
        INSERT INTO security_changes (what) VALUES (TG_TABLE_NAME || ' ' || TG_OP);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER keys_security AFTER UPDATE OF state, policy, tags ON keys
    FOR EACH ROW WHEN (OLD.state <> NEW.state OR OLD.policy <> NEW.policy OR OLD.tags <> NEW.tags)
    EXECUTE FUNCTION security_changed();
CREATE TRIGGER key_grants_security AFTER DELETE ON key_grants REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION security_rows_gone();
CREATE TRIGGER access_keys_security AFTER UPDATE OF status ON access_keys
    FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION security_changed();
CREATE TRIGGER access_keys_gone AFTER DELETE ON access_keys FOR EACH ROW EXECUTE FUNCTION security_changed();
CREATE TRIGGER users_gone AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION security_changed();
CREATE TRIGGER roles_security AFTER UPDATE OF trust_policy ON roles
    FOR EACH ROW WHEN (OLD.trust_policy <> NEW.trust_policy) EXECUTE FUNCTION security_changed();
CREATE TRIGGER roles_gone AFTER DELETE ON roles FOR EACH ROW EXECUTE FUNCTION security_changed();
-- A policy that is added may be a Deny.
CREATE TRIGGER user_policies_security AFTER INSERT OR UPDATE OR DELETE ON user_policies
    FOR EACH ROW EXECUTE FUNCTION security_changed();
CREATE TRIGGER role_policies_security AFTER INSERT OR UPDATE OR DELETE ON role_policies
    FOR EACH ROW EXECUTE FUNCTION security_changed();

-- Which heads moved last: the vault notes a bounded number of them.
ALTER TABLE audit_shards ADD COLUMN moved_at timestamptz NOT NULL DEFAULT clock_timestamp();

CREATE FUNCTION audit_shard_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.moved_at := clock_timestamp();
    RETURN NEW;
END
$$;

CREATE TRIGGER audit_shards_moved BEFORE UPDATE ON audit_shards FOR EACH ROW EXECUTE FUNCTION audit_shard_moved();

-- Versions of the vault's root key. Bytes are sealed under the current one; a retiring one is open until nothing is sealed
-- under it; under a retired one nothing may be sealed again.
CREATE TABLE root_keys (
    version     int PRIMARY KEY CHECK (version > 0),
    -- Of the key, so that a wrong one is told apart at start; says nothing of it.
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 16),
    state       text NOT NULL CHECK (state IN ('current', 'retiring', 'retired')),
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    retired_at  timestamptz,
    CHECK ((state = 'retired') = (retired_at IS NOT NULL))
);

CREATE UNIQUE INDEX root_keys_current ON root_keys (state) WHERE state = 'current';

-- Sealed bytes are: FCROOTKY, the root key's version as 4 bytes, 12 bytes nonce, sealed, 16 bytes tag. Those from before
-- versions have no such beginning, and are of version 1.
CREATE FUNCTION root_key_version(sealed bytea) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN substring(sealed FROM 1 FOR 8) = '\x4643524f4f544b59'::bytea AND octet_length(sealed) >= 12
        THEN (get_byte(sealed, 8) << 24) | (get_byte(sealed, 9) << 16) | (get_byte(sealed, 10) << 8) | get_byte(sealed, 11)
        ELSE 1
    END
$$;

ALTER TABLE key_materials DROP CONSTRAINT key_materials_sealed_check;
ALTER TABLE key_materials ADD CONSTRAINT key_materials_sealed_check CHECK (octet_length(sealed) IN (60, 72));

-- A process that slept through a rotation must not seal under what is retired since: nobody could open it.
CREATE FUNCTION refuse_retired_root_key() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    used int;
BEGIN
    IF TG_ARGV[0] = 'sealed' THEN used := root_key_version(NEW.sealed);
    ELSE used := root_key_version(NEW.sealed_secret);
    END IF;
    IF EXISTS (SELECT FROM root_keys WHERE version = used AND state = 'retired') THEN
        RAISE EXCEPTION 'version % of the root key is retired', used USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER key_materials_root_key BEFORE INSERT OR UPDATE OF sealed ON key_materials
    FOR EACH ROW EXECUTE FUNCTION refuse_retired_root_key('sealed');
CREATE TRIGGER access_keys_root_key BEFORE INSERT OR UPDATE OF sealed_secret ON access_keys
    FOR EACH ROW EXECUTE FUNCTION refuse_retired_root_key('sealed_secret');
CREATE TRIGGER sessions_root_key BEFORE INSERT OR UPDATE OF sealed_secret ON sessions
    FOR EACH ROW EXECUTE FUNCTION refuse_retired_root_key('sealed_secret');
