-- What each plugin keeps in a shop, in sum: kept with each change, so that limits are never counted anew.
-- day: days since 1970 (UTC) that `messages` is about.
CREATE TABLE plugin_usage (
    shop TEXT NOT NULL,
    plugin TEXT NOT NULL,
    state_keys BIGINT NOT NULL,
    state_bytes BIGINT NOT NULL,
    timers BIGINT NOT NULL,
    day BIGINT NOT NULL,
    messages BIGINT NOT NULL,
    PRIMARY KEY (shop, plugin)
);

INSERT INTO plugin_usage (shop, plugin, state_keys, state_bytes, timers, day, messages)
SELECT shop, plugin, CAST(SUM(state_keys) AS BIGINT), CAST(SUM(state_bytes) AS BIGINT), CAST(SUM(timers) AS BIGINT), 0, 0
FROM (
    SELECT shop, plugin, 1 AS state_keys, octet_length(key) + octet_length(value) AS state_bytes, 0 AS timers FROM state
    UNION ALL
    SELECT shop, plugin, 0, 0, 1 FROM timers
) AS kept
GROUP BY shop, plugin;
