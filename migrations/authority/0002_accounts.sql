-- Accounts, users, access keys, roles, their policies, and sessions of roles.
--
-- Secrets lie here sealed under the vault's root key; SigV4 needs them recoverable. Of a session token only the SHA-256 is kept.

CREATE TABLE accounts (
    account     text PRIMARY KEY CHECK (account ~ '^[0-9]{12}$'),
    name        text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 128),
    created_at  timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp())
);

CREATE TABLE users (
    user_id     text PRIMARY KEY CHECK (user_id ~ '^AIDA[A-Z2-7]{17}$'),
    account     text NOT NULL REFERENCES accounts (account),
    path        text NOT NULL CHECK (path ~ '^/([!-.0-~]+/)*$' AND char_length(path) <= 512),
    name        text NOT NULL CHECK (name ~ '^[A-Za-z0-9_+=,.@-]{1,64}$'),
    created_at  timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp())
);

-- Names differ by more than case, as in IAM; ARNs keep the case they were given.
CREATE UNIQUE INDEX users_by_name ON users (account, lower(name));

CREATE TABLE access_keys (
    access_key_id   text PRIMARY KEY CHECK (access_key_id ~ '^AKIA[A-Z2-7]{16}$'),
    account         text NOT NULL REFERENCES accounts (account),
    -- Null for a key of the account's root user.
    user_id         text REFERENCES users (user_id),
    sealed_secret   bytea NOT NULL,
    status          text NOT NULL DEFAULT 'Active' CHECK (status IN ('Active', 'Inactive')),
    created_at      timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp())
);

CREATE INDEX access_keys_by_user ON access_keys (user_id);

CREATE TABLE roles (
    role_id                 text PRIMARY KEY CHECK (role_id ~ '^AROA[A-Z2-7]{17}$'),
    account                 text NOT NULL REFERENCES accounts (account),
    path                    text NOT NULL CHECK (path ~ '^/([!-.0-~]+/)*$' AND char_length(path) <= 512),
    name                    text NOT NULL CHECK (name ~ '^[A-Za-z0-9_+=,.@-]{1,64}$'),
    description             text NOT NULL DEFAULT '' CHECK (char_length(description) <= 1000),
    trust_policy            text NOT NULL CHECK (char_length(trust_policy) BETWEEN 1 AND 16384),
    maximum_session_seconds int NOT NULL DEFAULT 3600 CHECK (maximum_session_seconds BETWEEN 3600 AND 43200),
    created_at              timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp())
);

CREATE UNIQUE INDEX roles_by_name ON roles (account, lower(name));

CREATE TABLE user_policies (
    user_id     text NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    name        text NOT NULL CHECK (name ~ '^[A-Za-z0-9_+=,.@-]{1,128}$'),
    document    text NOT NULL CHECK (char_length(document) BETWEEN 1 AND 65536),
    PRIMARY KEY (user_id, name)
);

CREATE TABLE role_policies (
    role_id     text NOT NULL REFERENCES roles (role_id) ON DELETE CASCADE,
    name        text NOT NULL CHECK (name ~ '^[A-Za-z0-9_+=,.@-]{1,128}$'),
    document    text NOT NULL CHECK (char_length(document) BETWEEN 1 AND 65536),
    PRIMARY KEY (role_id, name)
);

CREATE TABLE sessions (
    access_key_id   text PRIMARY KEY CHECK (access_key_id ~ '^ASIA[A-Z2-7]{16}$'),
    -- Sessions end with their role.
    role_id         text NOT NULL REFERENCES roles (role_id) ON DELETE CASCADE,
    name            text NOT NULL CHECK (name ~ '^[A-Za-z0-9_+=,.@-]{2,64}$'),
    sealed_secret   bytea NOT NULL,
    token_digest    bytea NOT NULL CHECK (octet_length(token_digest) = 32),
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL CHECK (expires_at > created_at),
    session_policy  text CHECK (char_length(session_policy) BETWEEN 1 AND 2048),
    source_identity text CHECK (source_identity ~ '^[A-Za-z0-9_+=,.@-]{2,64}$'),
    -- What the service put on record when it made the session; all null for other sessions.
    source_arn      text,
    source_account  text CHECK (source_account ~ '^[0-9]{12}$'),
    via_service     text,
    caller_account  text CHECK (caller_account ~ '^[0-9]{12}$'),
    source_ip       text CHECK (char_length(source_ip) <= 256),
    user_agent      text CHECK (char_length(user_agent) <= 1024),
    CHECK (num_nonnulls(source_arn, source_account, via_service, caller_account) IN (0, 4)),
    CHECK (via_service IS NOT NULL OR num_nonnulls(source_ip, user_agent) = 0)
);

CREATE INDEX sessions_by_role ON sessions (role_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
