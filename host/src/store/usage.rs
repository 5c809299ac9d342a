//! What a plugin keeps in a shop, in sum, against what it may.

use std::collections::BTreeMap;

use sqlx::Row as _;

use super::writer::Tx;
use super::{Result, StoreError};
use crate::config::Limits;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What a plugin may keep in a shop, and send from it on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    state_keys: u32,
    state_mib: u32,
    timers: u32,
    messages_per_day: u32,
}

impl Allowance {
    #[must_use]
    pub fn of(limits: &Limits) -> Self {
        Self {
            state_keys: limits.state_keys,
            state_mib: limits.state_mib,
            timers: limits.timers,
            messages_per_day: limits.messages_per_day,
        }
    }
}

/// How much more a transaction leaves than it found; less is negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Growth {
    pub state_keys: i64,
    pub state_bytes: i64,
    pub timers: i64,
    pub messages: i64,
}

/// To be called last: others that change what the plugin keeps wait from here to the commit.
/// [`StoreError::Limit`] when what grew is more than allowed.
pub(super) async fn grow(
    tx: &mut Tx,
    (shop, plugin): (&str, &str),
    growth: Growth,
    allowance: &Allowance,
    now_ms: i64,
) -> Result<()> {
    if growth == Growth::default() {
        return Ok(());
    }
    let row = sqlx::query(
        "INSERT INTO plugin_usage (shop, plugin, state_keys, state_bytes, timers, day, messages) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (shop, plugin) DO UPDATE SET \
           state_keys = plugin_usage.state_keys + excluded.state_keys, \
           state_bytes = plugin_usage.state_bytes + excluded.state_bytes, \
           timers = plugin_usage.timers + excluded.timers, \
           day = excluded.day, \
           messages = excluded.messages \
             + CASE WHEN plugin_usage.day = excluded.day THEN plugin_usage.messages ELSE 0 END \
         RETURNING state_keys, state_bytes, timers, messages",
    )
    .bind(shop)
    .bind(plugin)
    .bind(growth.state_keys)
    .bind(growth.state_bytes)
    .bind(growth.timers)
    .bind(now_ms.div_euclid(DAY_MS))
    .bind(growth.messages)
    .fetch_one(tx.connection())
    .await?;
    let kept: [i64; 4] = [row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?];
    let mib = 1 << 20;
    let checks = [
        ("state_keys", growth.state_keys, allowance.state_keys, 1),
        ("state_mib", growth.state_bytes, allowance.state_mib, mib),
        ("timers", growth.timers, allowance.timers, 1),
        ("messages_per_day", growth.messages, allowance.messages_per_day, 1),
    ];
    for (kept, (setting, grown, most, unit)) in kept.into_iter().zip(checks) {
        if grown > 0 && kept > i64::from(most).saturating_mul(unit) {
            return Err(StoreError::Limit { setting, value: u64::from(most) });
        }
    }
    Ok(())
}

/// Timers that fired, by shop and plugin.
pub(super) async fn fired(tx: &mut Tx, fired: &BTreeMap<(String, String), i64>) -> Result<()> {
    for ((shop, plugin), timers) in fired {
        sqlx::query("UPDATE plugin_usage SET timers = timers - $3 WHERE shop = $1 AND plugin = $2")
            .bind(shop)
            .bind(plugin)
            .bind(*timers)
            .execute(tx.connection())
            .await?;
    }
    Ok(())
}
