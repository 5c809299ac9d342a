-- Failed attempts, numbered through a job's whole life: a job that a person has tried again counts its
-- attempts from anew, and these stay.
CREATE TABLE attempts (
    job_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    fault TEXT NOT NULL,
    at BIGINT NOT NULL,
    took_ms BIGINT NOT NULL,
    PRIMARY KEY (job_id, number)
);

-- Why a job is dead, or why a person dropped it, in a sentence. A further state of history: `dropped`.
ALTER TABLE jobs ADD COLUMN reason TEXT;
ALTER TABLE jobs_history ADD COLUMN reason TEXT;
CREATE INDEX jobs_of_shop ON jobs (shop, id);
CREATE INDEX jobs_history_listed ON jobs_history (shop, id);

-- What is finished and may be deleted when it is old. A sent message with a dedupe key stays: it is what the
-- next one is compared with.
CREATE INDEX events_by_age ON events (received_at) WHERE state = 'done';
CREATE INDEX messages_by_age ON messages (updated_at)
    WHERE state = 'dropped' OR (state IN ('sent', 'delivered', 'bounced', 'complained') AND dedupe_key IS NULL);
