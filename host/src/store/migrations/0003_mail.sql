-- Grows each time the message is taken: what came of an older hand-over is not written down.
ALTER TABLE messages ADD COLUMN hand_token BIGINT NOT NULL DEFAULT 0;
-- Keyed hash of the address it went to, so that what comes back can be matched.
ALTER TABLE messages ADD COLUMN address TEXT;
-- The day, in the shop's zone, whose allowance it is counted in.
ALTER TABLE messages ADD COLUMN counted_on TEXT;
-- The day whose allowance was used up when its turn came.
ALTER TABLE messages ADD COLUMN capped_on TEXT;
CREATE INDEX messages_due_of_shop ON messages (shop, due_at, id) WHERE state IN ('waiting', 'handing');
CREATE INDEX messages_by_address ON messages (shop, address, updated_at) WHERE address IS NOT NULL;

-- Addresses that get no mail, as keyed hashes: `bounce`, `complaint`, `merchant`.
CREATE TABLE suppressions (
    shop TEXT NOT NULL,
    address TEXT NOT NULL,
    cause TEXT NOT NULL,
    detail TEXT NOT NULL,
    message_id TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (shop, address, cause)
);

-- Messages handed over on a day of the shop's zone (2026-11-28), and when the day's cap was first reached.
CREATE TABLE mail_days (
    shop TEXT NOT NULL,
    day TEXT NOT NULL,
    handed BIGINT NOT NULL,
    capped_at BIGINT,
    PRIMARY KEY (shop, day)
);

-- What the token in a mail's unsubscribe link stands for; the token itself names nobody.
CREATE TABLE unsubscribe_links (
    token TEXT NOT NULL PRIMARY KEY,
    shop TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    category TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
