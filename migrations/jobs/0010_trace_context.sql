-- Where in a trace (W3C Trace Context) a job was accepted and a message appended. For logs: whoever reads it may have been told
-- anything, and decides nothing by it.

ALTER TABLE job ADD COLUMN traceparent text CHECK (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$');
ALTER TABLE job_history ADD COLUMN traceparent text;
ALTER TABLE outbox ADD COLUMN traceparent text CHECK (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$');
