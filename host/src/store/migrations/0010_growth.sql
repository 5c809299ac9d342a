-- Jobs are claimed by shop and plugin: those of a plugin that may not begin stand in nobody's way. With the state they
-- are counted without a look at each.
CREATE INDEX jobs_claimable ON jobs (shop, plugin, run_after, id, state) WHERE state IN ('waiting', 'failed');
DROP INDEX jobs_eligible;

-- When something of any shop is due next. `+ 0`: no planner takes it for what is asked of one shop, and reads past
-- all of the others'.
CREATE INDEX jobs_due ON jobs ((run_after + 0)) WHERE state IN ('waiting', 'failed');
DROP INDEX messages_due;
CREATE INDEX messages_due ON messages ((due_at + 0)) WHERE state IN ('waiting', 'handing');
DROP INDEX events_held;
CREATE INDEX events_held ON events ((hold_until + 0)) WHERE state = 'held';

-- Few, among however many.
CREATE INDEX jobs_dead ON jobs (shop, id) WHERE state = 'dead';
CREATE INDEX jobs_history_dropped ON jobs_history (shop, id) WHERE state = 'dropped';
CREATE INDEX messages_handing ON messages (host) WHERE state = 'handing';
CREATE INDEX messages_capped ON messages (shop, capped_on) WHERE capped_on IS NOT NULL;
CREATE INDEX events_held_of_shop ON events (shop, hold_until, id) WHERE state = 'held';

-- Many timers are due at the same instant (nine o'clock), many notices wait until the same, many events came in at
-- the same: a batch of them is not sorted out of all.
DROP INDEX timers_due;
CREATE INDEX timers_due ON timers (due_at, shop, plugin, subject, key);
DROP INDEX webhooks_due;
CREATE INDEX webhooks_due ON webhooks (due_at, id) WHERE state = 'waiting';
DROP INDEX events_by_age;
CREATE INDEX events_by_age ON events (received_at, id) WHERE state = 'done';

-- A shop's messages, the newest first. Those of an order or a customer are found by what is told of them.
CREATE INDEX messages_of_shop ON messages (shop, created_at, id);
DROP INDEX messages_of_order;
DROP INDEX messages_of_customer;

-- Nobody asked by it.
DROP INDEX jobs_history_of_shop;
