-- Records in one round trip, and look-ups that stay quick with ten million of them.

-- A head is rewritten by every transaction: room beside it, so that the new version lies on the same page and no index changes.
ALTER TABLE audit_shards SET (fillfactor = 20);

-- Each row would ask for its shard, which the function below holds locked anyway. A record without a shard is found by
-- `forecastle audit verify`.
ALTER TABLE audit_records DROP CONSTRAINT audit_records_shard_fkey;

-- Adds records to a shard's chain, in their order, and answers the sequence of the last; NULL where the shard is gone.
-- Locks the shard's head until the transaction ends: whoever appends next reads what this one has committed.
-- The arrays are parallel; an empty string stands for NULL. Resources of record n lie at starts[n] to ends[n] of the last two.
CREATE FUNCTION audit_append(
    for_shard uuid, records text[], accounts text[], event_ids uuid[], event_times timestamptz[], sources text[],
    names text[], usernames text[], access_keys text[], reads boolean[], starts int[], ends int[], types text[],
    resources text[]
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    head_sequence bigint;
    first_sequence bigint;
    head_hash bytea;
    hashes bytea[];
    text_of_record text;
BEGIN
    -- A commit that returns before its record is on disk could be answered and then forgotten.
    PERFORM set_config('synchronous_commit', 'on', true);
    SELECT s.sequence, s.hash INTO head_sequence, head_hash FROM audit_shards s WHERE s.shard = for_shard FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    first_sequence := head_sequence;
    hashes := ARRAY[head_hash];
    FOREACH text_of_record IN ARRAY records LOOP
        head_sequence := head_sequence + 1;
        head_hash := sha256(head_hash || int8send(head_sequence) || convert_to(text_of_record, 'UTF8'));
        hashes := hashes || head_hash;
    END LOOP;
    INSERT INTO audit_records (
        shard, sequence, previous_hash, hash, account, event_id, event_time, event_source, event_name, username,
        access_key_id, read_only, resource_types, resource_names, record)
    SELECT for_shard, first_sequence + r.number, hashes[r.number], hashes[r.number + 1], r.account, r.event_id, r.event_time,
        r.source, r.name, nullif(r.username, ''), nullif(r.access_key, ''), r.reads, types[r.first:r.last],
        resources[r.first:r.last], r.record
    FROM unnest(records, accounts, event_ids, event_times, sources, names, usernames, access_keys, reads, starts, ends)
        WITH ORDINALITY
        AS r(record, account, event_id, event_time, source, name, username, access_key, reads, first, last, number);
    UPDATE audit_shards SET sequence = head_sequence, hash = head_hash WHERE shard = for_shard;
    RETURN head_sequence;
END
$$;

-- LookupEvents. Frequent values are found by walking an account's events from the newest on (audit_records_by_time); these
-- are for values that are rare there.
CREATE INDEX audit_records_by_username ON audit_records (account, username, event_time DESC, position DESC);
CREATE INDEX audit_records_by_access_key ON audit_records (access_key_id, event_time DESC, position DESC)
    WHERE access_key_id IS NOT NULL;
CREATE INDEX audit_records_by_source ON audit_records (account, event_source, event_time DESC, position DESC)
    WHERE event_source <> 'kms.amazonaws.com';
CREATE INDEX audit_records_of_changes ON audit_records (account, event_time DESC, position DESC) WHERE NOT read_only;
-- Without a pending list: emptying one would make one call in some thousands wait.
CREATE INDEX audit_records_by_resource ON audit_records USING gin (resource_names, resource_types) WITH (fastupdate = off);
