-- Who may do what in the jobs database. `forecastle migrate up` applies the whole file after the migrations, and again
-- whenever the rights differ from it. The owner, forecastle_jobs, runs migrations and nothing else; a role a process:
--
--   forecastle_jobs_api       accepts and stops jobs, keeps resources, relays the outbox, has grants for reading made
--   forecastle_jobs_worker    runs, finishes, sweeps and archives jobs; can't make one, nor change what was signed
--   forecastle_jobs_operator  `forecastle job`: looks at everything, changes priorities, runs a failed job again
--   forecastle_jobs_reader    `forecastle verify`, `doctor`: looks at everything

DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format(
        'GRANT CONNECT ON DATABASE %I TO forecastle_jobs_api, forecastle_jobs_worker, forecastle_jobs_operator, forecastle_jobs_reader',
        current_database());
END
$$;

REVOKE ALL ON ALL TABLES IN SCHEMA public
    FROM PUBLIC, forecastle_jobs_api, forecastle_jobs_worker, forecastle_jobs_operator, forecastle_jobs_reader;
REVOKE ALL ON FUNCTION job_history_make_day(text), job_history_drop_days(int)
    FROM PUBLIC, forecastle_jobs_api, forecastle_jobs_worker, forecastle_jobs_operator, forecastle_jobs_reader;

-- Everybody compares the schema with its own at start.
GRANT SELECT ON schema_migrations
    TO forecastle_jobs_api, forecastle_jobs_worker, forecastle_jobs_operator, forecastle_jobs_reader;

-- The API. What a job published it can neither name nor exchange.
GRANT SELECT, INSERT, DELETE, UPDATE (status, message, attributes, modified_at) ON resources TO forecastle_jobs_api;
GRANT SELECT, INSERT, UPDATE (state, epoch, open_tasks, message, ending_at, finished_at) ON job TO forecastle_jobs_api;
GRANT SELECT (id, job, epoch, state), UPDATE (state, finished_at),
    INSERT (id, job, kind, version, account, role, priority, ordinal, epoch, must_finish)
    ON job_task TO forecastle_jobs_api;
GRANT SELECT (name, job, state), UPDATE (state, collect_after) ON job_object TO forecastle_jobs_api;
-- It makes rows without a job only, which are grants for reading (0002_jobs.sql), and sets those of a job to retiring.
GRANT SELECT, UPDATE, INSERT (name, owner, artifact, key_arn, role_arn, grantee, operations, encryption_context, expires_at)
    ON job_grant TO forecastle_jobs_api;
GRANT SELECT ON job_history TO forecastle_jobs_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO forecastle_jobs_api;
GRANT SELECT, INSERT ON external_id TO forecastle_jobs_api;

-- Workers, sweeper and relay.
GRANT SELECT, UPDATE (status, message, attributes, modified_at, manifest_object, manifest_digest, manifest_generation)
    ON resources TO forecastle_jobs_worker;
GRANT SELECT, DELETE, UPDATE (state, epoch, total_tasks, open_tasks, message, manifest_object, manifest_digest, manifest_generation,
    commit_detail, grants_left, started_at, finalizing_at, retiring_at, ending_at, finished_at)
    ON job TO forecastle_jobs_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON job_task, job_object, job_grant, job_ring, job_worker, leadership, outbox
    TO forecastle_jobs_worker;
GRANT SELECT, INSERT ON job_chunk, external_id TO forecastle_jobs_worker;
GRANT SELECT, INSERT, DELETE ON job_dead_letter TO forecastle_jobs_worker;
-- History is added to; whole days go, by the owner's function.
GRANT SELECT, INSERT ON job_history TO forecastle_jobs_worker;
GRANT EXECUTE ON FUNCTION job_history_make_day(text), job_history_drop_days(int) TO forecastle_jobs_worker;

-- Operators' tools.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO forecastle_jobs_operator;
GRANT UPDATE (status, message, modified_at) ON resources TO forecastle_jobs_operator;
GRANT INSERT, UPDATE (state, epoch, priority, total_tasks, open_tasks, message, manifest_object, manifest_digest,
    manifest_generation, commit_detail, grants_left, redrives, started_at, finalizing_at, retiring_at, ending_at, finished_at)
    ON job TO forecastle_jobs_operator;
GRANT INSERT, UPDATE, DELETE ON job_task TO forecastle_jobs_operator;
GRANT UPDATE (state, retire_after), DELETE ON job_grant TO forecastle_jobs_operator;
GRANT UPDATE (redriven_at, redriven_by) ON job_dead_letter TO forecastle_jobs_operator;
-- A job that is to run again leaves the history.
GRANT DELETE ON job_history TO forecastle_jobs_operator;
GRANT INSERT ON outbox, external_id TO forecastle_jobs_operator;

-- Whoever only looks, also at the days of the history that are still to be made.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO forecastle_jobs_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO forecastle_jobs_operator, forecastle_jobs_reader;
