-- Days of the history are made and dropped by its owner only, so that a worker, which may add to the history, owns
-- nothing in it: these two functions are all that it needs.

-- A day's partition, where it is missing. `day` is eight digits of the database's own calendar.
CREATE FUNCTION job_history_make_day(day text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF day !~ '^[0-9]{8}$' THEN
        RAISE EXCEPTION 'a day is eight digits' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF to_regclass('public.job_history_' || day) IS NOT NULL THEN RETURN; END IF;
    -- Attached, not created as a partition: that would keep readers of the whole history out meanwhile.
    EXECUTE format('CREATE TABLE public.%I (LIKE public.job_history INCLUDING ALL)', 'job_history_' || day);
    EXECUTE format('ALTER TABLE public.job_history ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
        'job_history_' || day, day::date, day::date + 1);
END
$$;

-- Drops the days that ended at least `retention_days` ago; answers how many.
CREATE FUNCTION job_history_drop_days(retention_days int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    name text;
    dropped int := 0;
BEGIN
    IF retention_days IS NULL OR retention_days < 1 THEN
        RAISE EXCEPTION 'history is kept for a day at least' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- A reader that is at it goes first; the next sweep comes soon.
    PERFORM set_config('lock_timeout', '500', true);
    FOR name IN
        SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'public.job_history'::regclass AND c.relname ~ '^job_history_[0-9]{8}$'
          AND to_date(right(c.relname, 8), 'YYYYMMDD') + 1 + retention_days <= now()::date
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE public.%I', name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;

REVOKE ALL ON FUNCTION job_history_make_day(text), job_history_drop_days(int) FROM PUBLIC;
