-- Keys, their sealed material, aliases and grants.
--
-- Material here is useless without the key's shred secret, which lies in the vault and never in this database:
-- restoring a backup does not bring back a key that was deleted.

CREATE TABLE keys (
    key_id              text PRIMARY KEY CHECK (key_id ~ '^[0-9A-Za-z-]{1,64}$'),
    account             text NOT NULL CHECK (account ~ '^[0-9]{12}$'),
    arn                 text NOT NULL UNIQUE,
    description         text NOT NULL CHECK (char_length(description) <= 8192),
    -- Deleted is a tombstone: grants, aliases and material are gone, the shred secret is or will be.
    state               text NOT NULL CHECK (state IN ('Enabled', 'Disabled', 'PendingDeletion', 'Deleted')),
    policy              text NOT NULL CHECK (char_length(policy) BETWEEN 1 AND 131072),
    tags                text NOT NULL DEFAULT '[]',
    created_at          timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
    deletion_at         timestamptz,
    deletion_window     int CHECK (deletion_window BETWEEN 7 AND 30),
    shredded_at         timestamptz,
    current_material    bytea NOT NULL CHECK (octet_length(current_material) = 32),
    CHECK ((state IN ('PendingDeletion', 'Deleted')) = (deletion_at IS NOT NULL)),
    CHECK (shredded_at IS NULL OR state = 'Deleted')
);

CREATE INDEX keys_by_account ON keys (account, key_id) WHERE state <> 'Deleted';
CREATE INDEX keys_due_for_deletion ON keys (deletion_at) WHERE shredded_at IS NULL AND deletion_at IS NOT NULL;

CREATE TABLE key_materials (
    key_id      text NOT NULL REFERENCES keys (key_id),
    material    bytea NOT NULL CHECK (octet_length(material) = 32),
    version     int NOT NULL CHECK (version > 0),
    -- 12 bytes nonce, 32 bytes sealed, 16 bytes tag.
    sealed      bytea NOT NULL CHECK (octet_length(sealed) = 60),
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (key_id, material),
    UNIQUE (key_id, version)
);

CREATE TABLE key_aliases (
    account     text NOT NULL CHECK (account ~ '^[0-9]{12}$'),
    name        text NOT NULL CHECK (name ~ '^alias/[a-zA-Z0-9/_:-]{1,250}$'),
    key_id      text NOT NULL REFERENCES keys (key_id),
    created_at  timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
    updated_at  timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
    PRIMARY KEY (account, name)
);

CREATE INDEX key_aliases_by_key ON key_aliases (key_id, name);

CREATE TABLE key_grants (
    grant_id            text PRIMARY KEY CHECK (grant_id ~ '^[0-9a-f]{64}$'),
    key_id              text NOT NULL REFERENCES keys (key_id),
    name                text CHECK (char_length(name) BETWEEN 1 AND 256),
    created_at          timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
    grantee             text NOT NULL CHECK (char_length(grantee) BETWEEN 1 AND 256),
    -- Unique id of the grantee's user or role when the grant was made, so that nobody of the same name inherits it;
    -- null for an account.
    grantee_id          text,
    retiring            text CHECK (char_length(retiring) BETWEEN 1 AND 256),
    retiring_id         text,
    issuing_account     text NOT NULL CHECK (issuing_account ~ '^[0-9]{12}$'),
    -- The role or user that made it: ARN without the session, and unique id.
    creator             text NOT NULL,
    creator_id          text NOT NULL,
    operations          text[] NOT NULL CHECK (cardinality(operations) BETWEEN 1 AND 17),
    context_equals      text,
    context_subset      text,
    -- SHA-256 of every parameter of the request: the same Name with the same fingerprint is the same grant.
    fingerprint         bytea NOT NULL CHECK (octet_length(fingerprint) = 32)
);

CREATE UNIQUE INDEX key_grants_by_name ON key_grants (key_id, name, fingerprint) WHERE name IS NOT NULL;
CREATE INDEX key_grants_by_key ON key_grants (key_id, grant_id);
CREATE INDEX key_grants_by_grantee ON key_grants (key_id, grantee);
CREATE INDEX key_grants_by_retiring ON key_grants (retiring, grant_id) WHERE retiring IS NOT NULL;
