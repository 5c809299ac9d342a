-- A notice (`webhooks`) is what is to be told; a delivery is one endpoint's copy of it. A notice that every
-- subscriber has a delivery of is `done`.

-- state: `waiting`, `sending` (its courier's until due_at), `done`, `failed` (given up).
CREATE TABLE webhook_deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    shop TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    webhook_id TEXT NOT NULL,
    topic TEXT NOT NULL,
    state TEXT NOT NULL,
    lease_token BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    status BIGINT,
    reason TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX webhook_deliveries_once ON webhook_deliveries (webhook_id, endpoint);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (shop, endpoint, due_at, id)
    WHERE state IN ('waiting', 'sending');
CREATE INDEX webhook_deliveries_of_shop ON webhook_deliveries (shop, created_at, id);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (updated_at, id) WHERE state IN ('done', 'failed');

-- What came of an endpoint so far. off_since: switched off by the host; `address` is a hash of the URL and the
-- secrets that failed: when the merchant changes them it is on again.
CREATE TABLE webhook_endpoints (
    shop TEXT NOT NULL,
    name TEXT NOT NULL,
    last_success BIGINT,
    failing_since BIGINT,
    off_since BIGINT,
    reason TEXT,
    address TEXT,
    PRIMARY KEY (shop, name)
);
