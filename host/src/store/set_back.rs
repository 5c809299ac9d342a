//! The clock was set back: what was stamped by the later one would wait until that time comes again.

use futures::future::BoxFuture;

use super::writer::Tx;
use super::{Result, Store};

/// `$1`: now; `$2`: what bears a later stamp was stamped by the clock before. What rests, or belongs to somebody for
/// a while, does so from now on as long as it was told to; what was to be done at once is due.
const FROM_NOW_ON: [&str; 6] = [
    "UPDATE jobs SET run_after = $1 + (run_after - updated_at), updated_at = $1 \
     WHERE state IN ('waiting', 'failed') AND updated_at > $2",
    "UPDATE jobs SET lease_until = $1 + (lease_until - updated_at), updated_at = $1 \
     WHERE state = 'running' AND updated_at > $2",
    "UPDATE events SET hold_until = $1 + (hold_until - received_at), received_at = $1 \
     WHERE state = 'held' AND received_at > $2",
    // One with a time of its own that was never tried keeps that; so does what waits for another day.
    "UPDATE messages SET due_at = $1 + (due_at - updated_at), updated_at = $1 \
     WHERE updated_at > $2 AND state IN ('waiting', 'handing') AND (state = 'handing' \
       OR (state = 'waiting' AND capped_on IS NULL AND (attempts > 0 OR due_at = created_at)))",
    "UPDATE webhooks SET due_at = $1 WHERE state = 'waiting' AND created_at > $2 AND due_at > $1",
    "UPDATE webhook_deliveries SET due_at = $1 + (due_at - updated_at), updated_at = $1 \
     WHERE state IN ('waiting', 'sending') AND updated_at > $2",
];

impl Store {
    /// Goes on by a clock that was set back: what bears a stamp after `later_than` was stamped by the one before.
    /// An instant that a plugin, a shop or a person named (a timer, a message's `when`, a coupon's end) stays what it
    /// is. Gives how much was stamped anew.
    pub async fn clock_set_back(&self, now_ms: i64, later_than: i64) -> Result<u64> {
        self.write((now_ms, later_than), from_now_on).await
    }
}

fn from_now_on<'c>(tx: &'c mut Tx, (now_ms, later_than): &'c (i64, i64)) -> BoxFuture<'c, Result<u64>> {
    Box::pin(async move {
        let mut stamped = 0;
        for text in FROM_NOW_ON {
            let rows = sqlx::query(text).bind(*now_ms).bind(*later_than).execute(tx.connection()).await?;
            stamped += rows.rows_affected();
        }
        if stamped > 0 {
            (tx.touched.work, tx.touched.mail, tx.touched.webhooks) = (true, true, true);
        }
        Ok(stamped)
    })
}
