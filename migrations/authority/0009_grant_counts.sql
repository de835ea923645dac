-- How many grants a key has: the bound is looked at with every CreateGrant, and counting 50,000 rows each time would cost more than
-- all the rest of the call.

CREATE TABLE key_grant_counts (
    key_id  text PRIMARY KEY REFERENCES keys (key_id) ON DELETE CASCADE,
    grants  int NOT NULL CHECK (grants >= 0)
) WITH (fillfactor = 50);

INSERT INTO key_grant_counts (key_id, grants) SELECT key_id, count(*) FROM key_grants GROUP BY key_id;

CREATE FUNCTION key_grants_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO key_grant_counts AS c (key_id, grants) SELECT key_id, count(*) FROM added GROUP BY key_id ORDER BY key_id
    ON CONFLICT (key_id) DO UPDATE SET grants = c.grants + EXCLUDED.grants;
    RETURN NULL;
END
$$;

CREATE FUNCTION key_grants_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE key_grant_counts c SET grants = c.grants - r.grants
    FROM (SELECT key_id, count(*) AS grants FROM removed GROUP BY key_id) AS r WHERE c.key_id = r.key_id;
    RETURN NULL;
END
$$;

CREATE FUNCTION key_grants_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE key_grant_counts SET grants = 0;
    RETURN NULL;
END
$$;

CREATE TRIGGER key_grants_added AFTER INSERT ON key_grants
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION key_grants_added();
CREATE TRIGGER key_grants_removed AFTER DELETE ON key_grants
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION key_grants_removed();
CREATE TRIGGER key_grants_truncated AFTER TRUNCATE ON key_grants
    FOR EACH STATEMENT EXECUTE FUNCTION key_grants_truncated();
