-- What servers outside answered a job's plugin, so that another attempt hears the same. Gone with the job.
CREATE TABLE answers (
    job_id TEXT NOT NULL,
    question TEXT NOT NULL,
    status BIGINT NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (job_id, question)
);
