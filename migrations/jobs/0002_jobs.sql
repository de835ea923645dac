-- Jobs, their tasks, chunks, objects and grants. `docs/jobs.md` has the model.
-- Every change carries the fence (and epoch) it was made under; the constraints below say what no bug may store.

CREATE TABLE job (
    id                  uuid        PRIMARY KEY,
    kind                text        NOT NULL CHECK (kind ~ '^[a-z][a-z0-9-]{0,62}$'),
    version             integer     NOT NULL CHECK (version > 0),
    account             text        NOT NULL CHECK (account ~ '^[0-9]{12}$'),
    resource            text        NOT NULL CHECK (length(resource) BETWEEN 1 AND 2048),
    incarnation         uuid        NOT NULL,
    -- The exact bytes that were signed, so that a worker can verify them before it assumes a role.
    specification       bytea       NOT NULL CHECK (octet_length(specification) <= 262144),
    signature           bytea       NOT NULL CHECK (octet_length(signature) BETWEEN 1 AND 1024),
    source_address      text        NOT NULL CHECK (length(source_address) <= 256),
    user_agent          text        NOT NULL CHECK (length(user_agent) <= 1024),
    state               text        NOT NULL DEFAULT 'pending' CHECK (state IN
                            ('pending', 'running', 'finalizing', 'retiring', 'failing', 'stopping',
                             'succeeded', 'failed', 'stopped')),
    epoch               bigint      NOT NULL DEFAULT 1 CHECK (epoch > 0),
    total_tasks         integer     NOT NULL DEFAULT 0 CHECK (total_tasks >= 0),
    open_tasks          integer     NOT NULL DEFAULT 0 CHECK (open_tasks BETWEEN 0 AND total_tasks),
    message             text        CHECK (length(message) <= 2048),
    manifest_object     text,
    manifest_digest     bytea,
    manifest_generation bigint,
    commit_detail       jsonb,
    grants_left         integer     NOT NULL DEFAULT 0 CHECK (grants_left >= 0),
    accepted_at         timestamptz NOT NULL DEFAULT now(),
    started_at          timestamptz,
    finalizing_at       timestamptz,
    retiring_at         timestamptz,
    ending_at           timestamptz,
    finished_at         timestamptz,
    CHECK ((state IN ('succeeded', 'failed', 'stopped')) = (finished_at IS NOT NULL)),
    CHECK ((state IN ('failing', 'failed')) <= (message IS NOT NULL)),
    CHECK ((state IN ('retiring', 'succeeded')) <= (retiring_at IS NOT NULL AND open_tasks = 0)),
    CHECK ((state IN ('failing', 'stopping')) <= (ending_at IS NOT NULL)),
    CHECK ((manifest_object IS NULL) = (manifest_digest IS NULL)
       AND (manifest_object IS NULL) = (manifest_generation IS NULL))
);

CREATE INDEX job_by_account ON job (account, accepted_at DESC);
CREATE INDEX job_by_incarnation ON job (incarnation);

CREATE TABLE job_task (
    id            uuid        PRIMARY KEY,
    job           uuid        NOT NULL REFERENCES job ON DELETE CASCADE,
    kind          text        NOT NULL,
    version       integer     NOT NULL CHECK (version > 0),
    role          text        NOT NULL CHECK (role IN ('plan', 'work', 'commit', 'cleanup')),
    ordinal       integer     NOT NULL CHECK (ordinal >= 0),
    epoch         bigint      NOT NULL CHECK (epoch > 0),
    input         jsonb       NOT NULL DEFAULT '{}',
    expected_bytes bigint     NOT NULL DEFAULT 0 CHECK (expected_bytes >= 0),
    state         text        NOT NULL DEFAULT 'ready' CHECK (state IN
                      ('ready', 'running', 'done', 'failed', 'cancelled')),
    fence         bigint      NOT NULL DEFAULT 0 CHECK (fence >= 0),
    -- Claims that count, leases that ran out under a worker, and since when attempts end in retriable errors.
    attempts      integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    losses        integer     NOT NULL DEFAULT 0 CHECK (losses >= 0),
    failures      integer     NOT NULL DEFAULT 0 CHECK (failures >= 0),
    failing_since timestamptz,
    last_error    text        CHECK (length(last_error) <= 2048),
    -- Cleaning up, and a commit whose manifest is recorded, go on however many workers they cost.
    must_finish   boolean     NOT NULL DEFAULT false,
    worker        text,
    lease_until   timestamptz,
    not_before    timestamptz NOT NULL DEFAULT now(),
    rung_at       timestamptz NOT NULL DEFAULT now(),
    chunks        integer     NOT NULL DEFAULT 0 CHECK (chunks >= 0),
    bytes         bigint      NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    rows          bigint      NOT NULL DEFAULT 0 CHECK (rows >= 0),
    created_at    timestamptz NOT NULL DEFAULT now(),
    started_at    timestamptz,
    finished_at   timestamptz,
    UNIQUE (job, role, ordinal),
    CHECK ((state = 'running') <= (lease_until IS NOT NULL AND worker IS NOT NULL AND fence > 0)),
    CHECK ((state IN ('ready', 'done', 'failed')) <= (lease_until IS NULL)),
    CHECK ((state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL))
);

-- Finished tasks are in neither, so that a million of them cost a claim nothing. The lease is in no
-- index: renewing it then changes no index.
CREATE INDEX job_task_ready ON job_task (kind, not_before, id) WHERE state = 'ready';
CREATE INDEX job_task_running ON job_task (kind) WHERE state = 'running';

-- An object is reserved before a byte of it is written, so that the collector finds what nothing names.
CREATE TABLE job_object (
    name          text        PRIMARY KEY CHECK (name LIKE 'artifacts/%' AND length(name) <= 1024),
    job           uuid        NOT NULL REFERENCES job,
    task          uuid        NOT NULL REFERENCES job_task,
    fence         bigint      NOT NULL CHECK (fence > 0),
    ordinal       integer     NOT NULL CHECK (ordinal >= 0),
    state         text        NOT NULL DEFAULT 'reserved' CHECK (state IN
                      ('reserved', 'durable', 'published', 'garbage')),
    reserved_at   timestamptz NOT NULL DEFAULT now(),
    collect_after timestamptz,
    removals      integer     NOT NULL DEFAULT 0 CHECK (removals >= 0),
    UNIQUE (task, fence, ordinal),
    CHECK ((state = 'garbage') = (collect_after IS NOT NULL))
);

CREATE INDEX job_object_by_job ON job_object (job);
CREATE INDEX job_object_reserved ON job_object (reserved_at) WHERE state = 'reserved';
CREATE INDEX job_object_garbage ON job_object (collect_after) WHERE state = 'garbage';

-- A finished piece of a task: where in the input it ended, and what pins the object's bytes.
CREATE TABLE job_chunk (
    task           uuid        NOT NULL REFERENCES job_task ON DELETE CASCADE,
    ordinal        integer     NOT NULL CHECK (ordinal >= 0),
    fence          bigint      NOT NULL CHECK (fence > 0),
    object         text        NOT NULL UNIQUE,
    input_position jsonb       NOT NULL,
    detail         jsonb       NOT NULL DEFAULT '{}',
    bytes          bigint      NOT NULL CHECK (bytes >= 0),
    rows           bigint      NOT NULL CHECK (rows >= 0),
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (task, ordinal)
);

-- Grants that Forecastle has had made: of jobs (`job/<job>/<artifact>`) and for reading (`read/<process>/<artifact>`).
-- The row is there before the grant is asked for, so a grant without a record is found by its name.
CREATE TABLE job_grant (
    name               text        PRIMARY KEY CHECK (name ~ '^(job|read)/[^/]+/.+$' AND length(name) <= 256),
    job                uuid        REFERENCES job,
    owner              text        NOT NULL,
    artifact           text        NOT NULL,
    key_arn            text        NOT NULL,
    role_arn           text,
    grantee            text        NOT NULL,
    operations         text[]      NOT NULL CHECK (cardinality(operations) > 0),
    encryption_context jsonb       NOT NULL,
    state              text        NOT NULL DEFAULT 'intended' CHECK (state IN
                           ('intended', 'active', 'retiring', 'left', 'retired')),
    grant_id           text,
    grant_token        text,
    expires_at         timestamptz,
    retire_attempts    integer     NOT NULL DEFAULT 0 CHECK (retire_attempts >= 0),
    retire_after       timestamptz NOT NULL DEFAULT now(),
    last_error         text        CHECK (length(last_error) <= 2048),
    intended_at        timestamptz NOT NULL DEFAULT now(),
    recorded_at        timestamptz,
    retired_at         timestamptz,
    CHECK ((name LIKE 'job/%') = (job IS NOT NULL)),
    CHECK ((name LIKE 'read/%') = (expires_at IS NOT NULL)),
    CHECK ((state = 'active') <= (grant_id IS NOT NULL)),
    CHECK ((state = 'retired') = (retired_at IS NOT NULL)),
    CHECK ((grant_id IS NULL) = (recorded_at IS NULL))
);

CREATE INDEX job_grant_by_job ON job_grant (job) WHERE job IS NOT NULL;
CREATE INDEX job_grant_unretired ON job_grant (retire_after) WHERE state <> 'retired';
