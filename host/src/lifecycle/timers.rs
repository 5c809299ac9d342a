//! What the clock alone brings about: timers that are due, held events that have waited enough, and what has to be
//! stamped anew when it was set back.

use std::sync::Arc;

use super::intake;
use crate::plugins::registry::Snapshot;
use crate::store::{Result, Store};

/// How far the clocks of two hosts may differ, ms: what was stamped later than that, was stamped by a clock that was
/// set back since.
const CLOCKS_DIFFER: i64 = 60_000;

/// Notices a clock that was set back, also while no host ran. `seen`: what it said at the last look.
pub(super) async fn follow(store: &Store, seen: Option<i64>, now_ms: i64) -> Result<()> {
    let later_than = now_ms.saturating_add(CLOCKS_DIFFER);
    if seen.is_some_and(|seen| seen <= later_than) {
        return Ok(());
    }
    let stamped = store.clock_set_back(now_ms, later_than).await?;
    if seen.is_some() || stamped > 0 {
        tracing::warn!(
            stamped,
            "the clock was set back: jobs, messages and webhooks that it would hold up go on"
        );
    }
    Ok(())
}

/// Whether there was anything to do.
pub(super) async fn fire(store: &Store, snapshot: &Snapshot, now_ms: i64) -> Result<bool> {
    let mut any = false;
    while store.fire_timers(now_ms).await? > 0 {
        any = true;
    }
    for name in store.shops_with_late_events(now_ms).await? {
        // A shop that is not live here keeps its events held.
        let Some(shop) = snapshot.shops.get(&name) else { continue };
        let subscribers = Arc::new(intake::subscribers(shop));
        let currency = &shop.config.currency;
        while store.release_late(&name, currency, Arc::clone(&subscribers), now_ms).await? {}
        any = true;
    }
    Ok(any)
}
