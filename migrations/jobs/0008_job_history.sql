-- Where finished jobs go: a partition a day, dropped whole when the retention is over. The tables that work is claimed
-- from hold what is under way and little else.

-- What a job published outlives its row here, by name: objects belong to the resource then.
ALTER TABLE job_object
    DROP CONSTRAINT job_object_job_fkey,
    DROP CONSTRAINT job_object_task_fkey;

CREATE TABLE job_history (
    -- As in `job`, column by column.
    LIKE job,
    -- Sums over its tasks, and the tasks and grants themselves as they stood in the end.
    bytes          bigint  NOT NULL,
    rows           bigint  NOT NULL,
    expected_bytes bigint  NOT NULL,
    chunks         bigint  NOT NULL,
    finished_tasks bigint  NOT NULL,
    tasks          jsonb   NOT NULL,
    grants         jsonb   NOT NULL,
    CHECK (finished_at IS NOT NULL),
    PRIMARY KEY (id, finished_at)
) PARTITION BY RANGE (finished_at);

CREATE INDEX job_history_by_acceptance ON job_history (accepted_at DESC, id);
CREATE INDEX job_history_by_incarnation ON job_history (incarnation);

-- What is to be moved there, oldest first.
CREATE INDEX job_finished ON job (finished_at) WHERE finished_at IS NOT NULL;
