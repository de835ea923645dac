-- Who sweeps. A term is one leader's time in office: its number only goes up, and every write of a sweep carries it.

CREATE TABLE leadership (
    name       text        PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 63),
    leader     text        NOT NULL CHECK (length(leader) BETWEEN 1 AND 256),
    term       bigint      NOT NULL CHECK (term > 0),
    elected_at timestamptz NOT NULL,
    until      timestamptz NOT NULL
)
WITH (fillfactor = 50);

-- The worker processes that run, and what they serve: a kind that none of them serves is said aloud.
CREATE TABLE job_worker (
    name       text        PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 256),
    kinds      text[]      NOT NULL,
    versions   bigint[]    NOT NULL,
    slots      integer     NOT NULL CHECK (slots > 0),
    running    integer     NOT NULL CHECK (running >= 0),
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    CHECK (cardinality(kinds) = cardinality(versions))
)
WITH (fillfactor = 50);
