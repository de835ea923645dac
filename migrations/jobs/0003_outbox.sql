-- Messages to be published, appended in the transaction whose effect they announce. A row goes when Kafka has acknowledged
-- it; until then some relay publishes it, perhaps twice. Nothing here is secret, and nothing derives from customers' data.

CREATE TABLE outbox (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic        text        NOT NULL CHECK (topic ~ '^[A-Za-z0-9._-]{1,249}$'),
    key          bytea       CHECK (octet_length(key) <= 1024),
    payload      bytea       NOT NULL CHECK (octet_length(payload) <= 65536),
    created_at   timestamptz NOT NULL DEFAULT now(),
    -- When it may be claimed: from the beginning at once, after a claim at the end of its lease.
    available_at timestamptz NOT NULL DEFAULT now(),
    -- The claim under which a relay publishes it; only that one may remove it.
    claim        uuid,
    claims       integer     NOT NULL DEFAULT 0
)
-- A row lives for milliseconds and is updated once: room for that on its page, and its remains cleared up early.
WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE INDEX outbox_due ON outbox (available_at, id);
