-- Why a job died that no customer's mistake ended, and whether an operator had it run again since. One row a death: a job
-- that is driven again and dies again has two.

CREATE TABLE job_dead_letter (
    job         uuid        NOT NULL,
    -- The epoch under which it died.
    epoch       bigint      NOT NULL CHECK (epoch > 0),
    kind        text        NOT NULL,
    account     text        NOT NULL,
    resource    text        NOT NULL,
    reason      text        NOT NULL CHECK (reason IN ('workers-lost', 'retries-exhausted', 'not-published')),
    message     text        NOT NULL CHECK (length(message) <= 2048),
    -- The task that it died of, as it stood then.
    role        text        NOT NULL CHECK (role IN ('plan', 'work', 'commit', 'cleanup')),
    ordinal     integer     NOT NULL CHECK (ordinal >= 0),
    attempts    integer     NOT NULL CHECK (attempts >= 0),
    losses      integer     NOT NULL CHECK (losses >= 0),
    failures    integer     NOT NULL CHECK (failures >= 0),
    worker      text,
    last_error  text        CHECK (length(last_error) <= 2048),
    died_at     timestamptz NOT NULL DEFAULT now(),
    redriven_at timestamptz,
    redriven_by text        CHECK (length(redriven_by) BETWEEN 1 AND 256),
    PRIMARY KEY (job, epoch),
    CHECK ((redriven_at IS NULL) = (redriven_by IS NULL))
);

CREATE INDEX job_dead_letter_waiting ON job_dead_letter (died_at) WHERE redriven_at IS NULL;

ALTER TABLE job
    -- How often an operator had it run again after it failed.
    ADD COLUMN redrives integer NOT NULL DEFAULT 0 CHECK (redrives >= 0);
