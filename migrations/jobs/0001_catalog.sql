-- Resources of the Forecast API. Values derived from customers' data never stand here: they live in manifests.

CREATE TABLE resources (
    arn                 text        NOT NULL,
    account             text        NOT NULL CHECK (account ~ '^[0-9]{12}$'),
    type                text        NOT NULL,
    name                text        NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
    -- Names can be used again: the incarnation tells one life of a name from the next.
    incarnation         uuid        NOT NULL,
    status              text        NOT NULL CHECK (status IN (
                            'CREATE_PENDING', 'CREATE_IN_PROGRESS', 'ACTIVE', 'CREATE_FAILED', 'CREATE_STOPPING', 'CREATE_STOPPED',
                            'UPDATE_PENDING', 'UPDATE_IN_PROGRESS', 'UPDATE_FAILED',
                            'DELETE_PENDING', 'DELETE_IN_PROGRESS', 'DELETE_FAILED')),
    message             text,
    -- What this resource was made from: the dataset of an import, the predictor of a forecast.
    parent_arn          text,
    -- The request as it was accepted, defaults filled in.
    request             text        NOT NULL,
    -- What the system adds later: the datasets of a group, the imports a predictor was trained on.
    attributes          text        NOT NULL DEFAULT '{}',
    -- The customer's key and role; null where the account's default key is used.
    key_arn             text,
    role_arn            text,
    -- The artifact, once its commit recorded it.
    manifest_object     text,
    manifest_digest     bytea,
    manifest_generation bigint,
    job                 uuid,
    created_at          timestamptz NOT NULL DEFAULT now(),
    modified_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (arn),
    UNIQUE (incarnation),
    CHECK ((key_arn IS NULL) = (role_arn IS NULL)),
    CHECK ((manifest_object IS NULL) = (manifest_digest IS NULL)),
    CHECK ((manifest_object IS NULL) = (manifest_generation IS NULL))
);

-- Lists are read newest first by account and type; children by their parent.
CREATE INDEX resources_by_account ON resources (account, type, created_at DESC, arn DESC);
CREATE INDEX resources_by_parent ON resources (parent_arn) WHERE parent_arn IS NOT NULL;
