-- Priorities and fair shares. A claim walks the accounts that have something ready, so a task knows its account and its
-- urgency itself; nothing is counted in a row that all tasks of an account would have to lock.

ALTER TABLE job ADD COLUMN priority smallint NOT NULL DEFAULT 5 CHECK (priority BETWEEN 1 AND 9);

-- 0 is for what ends a job (commit, clean-up): it frees grants and slots, and no account's limit holds it up.
ALTER TABLE job_task
    ADD COLUMN account  text,
    ADD COLUMN priority smallint NOT NULL DEFAULT 5 CHECK (priority BETWEEN 0 AND 9);

UPDATE job_task AS t
SET account = j.account, priority = CASE WHEN t.role IN ('commit', 'cleanup') THEN 0 ELSE j.priority END
FROM job AS j WHERE j.id = t.job;

ALTER TABLE job_task
    ALTER COLUMN account SET NOT NULL,
    ADD CHECK ((role IN ('commit', 'cleanup')) = (priority = 0));

-- In this order a claim steps from one account's queue to the next one's without reading what lies between.
DROP INDEX job_task_ready;
CREATE INDEX job_task_ready ON job_task (kind, priority, account, not_before, id) WHERE state = 'ready';

-- As many entries as the fleet has slots: read whole to know what each account has at work.
DROP INDEX job_task_running;
CREATE INDEX job_task_running ON job_task (kind, account) WHERE state = 'running';

-- When the sweeper last rang for a kind: a ring a kind is enough, whoever hears it looks for all of its tasks.
ALTER TABLE job_task DROP COLUMN rung_at;
CREATE TABLE job_ring (
    kind    text        PRIMARY KEY,
    rung_at timestamptz NOT NULL
);

-- Room on the page for renewed leases, and dead index entries cleared up before a claim must step over many.
ALTER TABLE job_task SET
    (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000,
     autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 1000);
ALTER TABLE job SET
    (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000);
