-- The audit trail: what happened, in CloudTrail's record format, append only.
--
-- A shard is one boot of one authority process. Its head row moves in the transaction that adds a
-- record, so sequences have no gaps and each record carries the hash of the one before it:
-- hash = SHA-256(previous hash ‖ sequence as 8 bytes, big endian ‖ UTF-8 of record).

CREATE TABLE audit_shards (
    shard       uuid PRIMARY KEY,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    sequence    bigint NOT NULL DEFAULT 0 CHECK (sequence >= 0),
    hash        bytea NOT NULL CHECK (octet_length(hash) = 32)
);

CREATE TABLE audit_records (
    shard           uuid NOT NULL REFERENCES audit_shards (shard),
    sequence        bigint NOT NULL CHECK (sequence > 0),
    previous_hash   bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash            bytea NOT NULL CHECK (octet_length(hash) = 32),
    -- Order of look-ups among records of one second.
    position        bigint GENERATED ALWAYS AS IDENTITY,
    recorded_at     timestamptz NOT NULL DEFAULT clock_timestamp(),

    -- What LookupEvents searches by; all of it is in the record too.
    account         text NOT NULL CHECK (account ~ '^[0-9]{12}$'),
    event_id        uuid NOT NULL UNIQUE,
    event_time      timestamptz NOT NULL CHECK (event_time = date_trunc('second', event_time)),
    event_source    text NOT NULL CHECK (octet_length(event_source) BETWEEN 1 AND 256),
    event_name      text NOT NULL CHECK (octet_length(event_name) BETWEEN 1 AND 256),
    username        text CHECK (octet_length(username) BETWEEN 1 AND 1024),
    access_key_id   text CHECK (octet_length(access_key_id) BETWEEN 1 AND 128),
    read_only       boolean NOT NULL,
    resource_types  text[] NOT NULL,
    resource_names  text[] NOT NULL,

    -- The record as it is handed out and hashed, byte for byte; jsonb would reorder its members.
    record          text NOT NULL CHECK (octet_length(record) BETWEEN 2 AND 262144),

    PRIMARY KEY (shard, sequence),
    CHECK (cardinality(resource_types) = cardinality(resource_names))
);

CREATE INDEX audit_records_by_time ON audit_records (account, event_time DESC, position DESC);
CREATE INDEX audit_records_by_name ON audit_records (account, event_name, event_time DESC, position DESC);

CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append only: % on %', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER audit_records_append_only
    BEFORE UPDATE OR DELETE ON audit_records
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();

CREATE TRIGGER audit_records_never_truncated
    BEFORE TRUNCATE ON audit_records
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();

CREATE TRIGGER audit_shards_never_removed
    BEFORE DELETE ON audit_shards
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();

CREATE TRIGGER audit_shards_never_truncated
    BEFORE TRUNCATE ON audit_shards
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();

CREATE FUNCTION audit_head_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.shard <> OLD.shard OR NEW.started_at <> OLD.started_at OR NEW.sequence <= OLD.sequence THEN
        RAISE EXCEPTION 'the head of an audit shard only moves forward'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER audit_shards_move_forward
    BEFORE UPDATE ON audit_shards
    FOR EACH ROW EXECUTE FUNCTION audit_head_moves_forward();
