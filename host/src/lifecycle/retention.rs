//! What is finished is kept for a while, and then deleted.

use tokio_util::sync::CancellationToken;

use super::{IntakeError, Lifecycle};
use crate::config::Retention;
use crate::store::{Expiry, Sweep};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The identity of an event is promised to hold so long, whatever a merchant keeps.
const INTAKE_KEYS_DAYS: u32 = 30;

impl Lifecycle {
    /// Deletes what is older than the host's `[retention]` allows, some at a time, until nothing is left of it
    /// or `stop`.
    pub async fn forget(&self, stop: &CancellationToken) -> Result<(), IntakeError> {
        let expiry = expiry(&self.plugins.current().host.retention, self.clock.now_ms());
        let mut gone = 0_u64;
        let mut sweep = Sweep::of(expiry);
        while !stop.is_cancelled() {
            let Some(rows) = self.store.forget(&mut sweep).await? else { break };
            gone = gone.saturating_add(rows);
        }
        if gone > 0 {
            metrics::counter!("cartwright_forgotten_rows_total").increment(gone);
            tracing::info!(rows = gone, "deleted what is older than [retention] keeps");
        }
        Ok(())
    }
}

fn expiry(retention: &Retention, now_ms: i64) -> Expiry {
    let ago = |days: u32| now_ms.saturating_sub(i64::from(days).saturating_mul(DAY_MS));
    Expiry {
        intake_keys: ago(INTAKE_KEYS_DAYS),
        events: ago(retention.history_days),
        messages: ago(retention.messages_days),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_events_hold_thirty_days_whatever_else_is_kept() {
        let retention = Retention { history_days: 1, messages_days: 365 };
        let expiry = expiry(&retention, 400 * DAY_MS);
        assert_eq!(expiry.intake_keys, 370 * DAY_MS);
        assert_eq!((expiry.events, expiry.messages), (399 * DAY_MS, 35 * DAY_MS));
    }
}
