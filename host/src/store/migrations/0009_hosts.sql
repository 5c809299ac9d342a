-- The hosts on this database, each as it last said of itself. state: `running`, `stopping`, `stopped`; one that says
-- nothing any more is gone. plugins: JSON, shop → plugin → version, as of its generation.
CREATE TABLE hosts (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    pid BIGINT NOT NULL,
    address TEXT NOT NULL,
    version TEXT NOT NULL,
    contract TEXT NOT NULL,
    state TEXT NOT NULL,
    generation BIGINT NOT NULL,
    plugins TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);

-- Who leased it last. A host of an older version leaves it as it was.
ALTER TABLE jobs ADD COLUMN host TEXT;
ALTER TABLE messages ADD COLUMN host TEXT;
