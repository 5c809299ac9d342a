//! What the clock alone brings about: timers that are due, and held events that have waited enough.

use std::sync::Arc;

use super::intake;
use crate::plugins::registry::Snapshot;
use crate::store::{Result, Store};

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
        store.release_late(&name, &shop.config.currency, subscribers, now_ms).await?;
        any = true;
    }
    Ok(any)
}
