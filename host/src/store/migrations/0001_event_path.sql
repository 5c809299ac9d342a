-- Types are BIGINT, TEXT and BLOB only: PostgreSQL has the same tables, with its own name for the last.
-- Instants are UTC milliseconds. Payloads are JSON text.

CREATE TABLE installation_keys (
    name TEXT NOT NULL PRIMARY KEY,
    secret BLOB NOT NULL
);

CREATE TABLE products (
    shop TEXT NOT NULL,
    id TEXT NOT NULL,
    payload TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (shop, id)
);

-- What plugins may know of a customer. Contact details are apart, so that no query meets them by chance.
CREATE TABLE customers (
    shop TEXT NOT NULL,
    id TEXT NOT NULL,
    first_name TEXT,
    locale TEXT,
    zone TEXT,
    buyer TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    erased_at BIGINT,
    PRIMARY KEY (shop, id)
);

CREATE TABLE contacts (
    shop TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    last_name TEXT,
    company TEXT,
    email TEXT,
    phone TEXT,
    PRIMARY KEY (shop, customer_id)
);

CREATE TABLE consents (
    shop TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    category TEXT NOT NULL,
    granted BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (shop, customer_id, channel, category)
);

-- kind: `customer` or `order`.
CREATE TABLE labels (
    shop TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    plugin TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (shop, kind, subject, key)
);

-- A payload of NULL: events of the order came, the order itself has not.
CREATE TABLE orders (
    shop TEXT NOT NULL,
    id TEXT NOT NULL,
    last_seq BIGINT NOT NULL,
    payload TEXT,
    contract TEXT NOT NULL,
    status TEXT NOT NULL,
    customer_id TEXT,
    locale TEXT,
    currency TEXT,
    total BIGINT NOT NULL,
    spent BIGINT NOT NULL,
    products TEXT,
    quote TEXT,
    placed_event TEXT,
    placed_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (shop, id)
);
CREATE INDEX orders_of_customer ON orders (shop, customer_id, placed_at);

CREATE TABLE shipments (
    shop TEXT NOT NULL,
    order_id TEXT NOT NULL,
    id TEXT NOT NULL,
    payload TEXT NOT NULL,
    stage TEXT,
    shipped_at BIGINT NOT NULL,
    delivered_at BIGINT,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (shop, order_id, id)
);

CREATE TABLE intake_keys (
    shop TEXT NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    event_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (shop, source, id)
);
CREATE INDEX intake_keys_by_age ON intake_keys (at);

-- state: `held` (too early: no jobs yet), `open`, `done`.
CREATE TABLE events (
    id TEXT NOT NULL PRIMARY KEY,
    shop TEXT NOT NULL,
    hook TEXT NOT NULL,
    order_id TEXT,
    customer_id TEXT,
    seq BIGINT NOT NULL,
    payload TEXT NOT NULL,
    contract TEXT NOT NULL,
    locale TEXT,
    state TEXT NOT NULL,
    late BIGINT NOT NULL,
    hold_until BIGINT,
    received_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX events_of_order ON events (shop, order_id, seq);
CREATE INDEX events_of_customer ON events (shop, customer_id, received_at);
CREATE INDEX events_held ON events (hold_until) WHERE state = 'held';

-- state: `waiting`, `running`, `failed` (tried again after run_after), `dead`. Done ones are history.
CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    shop TEXT NOT NULL,
    plugin TEXT NOT NULL,
    hook TEXT NOT NULL,
    event_id TEXT NOT NULL,
    ordering_key TEXT,
    seq BIGINT NOT NULL,
    state TEXT NOT NULL,
    lease_token BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    run_after BIGINT NOT NULL,
    fault TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX jobs_eligible ON jobs (shop, run_after, id) WHERE state IN ('waiting', 'failed');
CREATE INDEX jobs_running ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_ordering ON jobs (ordering_key, seq) WHERE state IN ('waiting', 'running', 'failed');
CREATE INDEX jobs_of_event ON jobs (event_id);

CREATE TABLE jobs_history (
    id TEXT NOT NULL PRIMARY KEY,
    shop TEXT NOT NULL,
    plugin TEXT NOT NULL,
    hook TEXT NOT NULL,
    event_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    fault TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT NOT NULL
);
CREATE INDEX jobs_history_of_event ON jobs_history (event_id);
CREATE INDEX jobs_history_by_age ON jobs_history (finished_at);
CREATE INDEX jobs_history_of_shop ON jobs_history (shop, finished_at);

-- An effect commits once: the key never repeats.
CREATE TABLE effects (
    event_id TEXT NOT NULL,
    plugin TEXT NOT NULL,
    position BIGINT NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY (event_id, plugin, position)
);

-- subject: id of the customer or order; empty for the shop's scope.
-- version: a new random number for each write, so that one never comes back.
CREATE TABLE state (
    shop TEXT NOT NULL,
    plugin TEXT NOT NULL,
    scope TEXT NOT NULL,
    subject TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (shop, plugin, scope, subject, key)
);

-- subject: `order:<id>`, `customer:<id>` or empty: the same key for two orders is two timers.
CREATE TABLE timers (
    shop TEXT NOT NULL,
    plugin TEXT NOT NULL,
    subject TEXT NOT NULL,
    key TEXT NOT NULL,
    payload TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    set_at BIGINT NOT NULL,
    order_id TEXT,
    customer_id TEXT,
    locale TEXT,
    PRIMARY KEY (shop, plugin, subject, key)
);
CREATE INDEX timers_due ON timers (due_at);

-- state: `waiting`, `handing`, `sent`, `dropped`. cancel_on: `|hook|hook|`.
CREATE TABLE messages (
    id TEXT NOT NULL PRIMARY KEY,
    shop TEXT NOT NULL,
    plugin TEXT NOT NULL,
    event_id TEXT NOT NULL,
    order_id TEXT,
    customer_id TEXT,
    payload TEXT NOT NULL,
    contract TEXT NOT NULL,
    locale TEXT,
    coupons TEXT NOT NULL,
    dedupe_key TEXT,
    cancel_on TEXT NOT NULL,
    state TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    channel TEXT,
    message_id TEXT,
    reason TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX messages_due ON messages (due_at, id) WHERE state IN ('waiting', 'handing');
CREATE INDEX messages_waiting_of_order ON messages (shop, order_id) WHERE state = 'waiting';
CREATE INDEX messages_of_order ON messages (shop, order_id, created_at);
CREATE INDEX messages_of_customer ON messages (shop, customer_id, created_at);
CREATE UNIQUE INDEX messages_once ON messages (shop, plugin, COALESCE(customer_id, ''), dedupe_key)
    WHERE dedupe_key IS NOT NULL AND state <> 'dropped';

CREATE TABLE coupons (
    shop TEXT NOT NULL,
    code TEXT NOT NULL,
    plugin TEXT NOT NULL,
    event_id TEXT NOT NULL,
    order_id TEXT,
    customer_id TEXT,
    purpose TEXT NOT NULL,
    payload TEXT NOT NULL,
    contract TEXT NOT NULL,
    currency TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    PRIMARY KEY (shop, code)
);
CREATE UNIQUE INDEX coupons_once ON coupons (shop, plugin, customer_id, purpose) WHERE customer_id IS NOT NULL;

CREATE TABLE coupon_uses (
    shop TEXT NOT NULL,
    code TEXT NOT NULL,
    order_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (shop, code, order_id)
);

-- Append-only: a reference's total is its newest row's, a balance is the sum of the deltas.
CREATE TABLE points (
    shop TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    plugin TEXT NOT NULL,
    reference TEXT NOT NULL,
    revision BIGINT NOT NULL,
    total BIGINT NOT NULL,
    delta BIGINT NOT NULL,
    event_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (shop, customer_id, plugin, reference, revision)
);

-- The outbox to the shop's own systems.
CREATE TABLE webhooks (
    id TEXT NOT NULL PRIMARY KEY,
    shop TEXT NOT NULL,
    plugin TEXT NOT NULL,
    event_id TEXT NOT NULL,
    topic TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX webhooks_due ON webhooks (due_at) WHERE state = 'waiting';
