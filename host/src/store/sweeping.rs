//! Deliveries that nobody has wanted for too long are given up, and what ended long ago is forgotten, some at a time, so
//! that other writes come between.

use futures::future::BoxFuture;
use sqlx::{AssertSqlSafe, Row as _};

use super::dialect::Dialect;
use super::writer::Tx;
use super::{Result, Store, heads};

/// Deliveries that are changed or deleted in one transaction. Written into a statement where a database that is not
/// told how few they are might plan for a tenth of the table.
const BATCH: i64 = 500;

struct TooLong {
    shop: String,
    endpoint: String,
    due_before: i64,
    now_ms: i64,
}

impl Store {
    /// Gives up deliveries that were due before: nobody has wanted them for too long.
    pub async fn give_up_deliveries(&self, due_before: i64, now_ms: i64) -> Result<()> {
        let text = heads::DELIVERIES.heads("SELECT shop, endpoint FROM head WHERE due_at < $3");
        let lanes = sqlx::query(AssertSqlSafe(text))
            .bind("")
            .bind("")
            .bind(due_before)
            .fetch_all(&self.inner.reads)
            .await?;
        for lane in &lanes {
            let (shop, endpoint): (String, String) = (lane.try_get(0)?, lane.try_get(1)?);
            while {
                let (shop, endpoint) = (shop.clone(), endpoint.clone());
                self.write(TooLong { shop, endpoint, due_before, now_ms }, give_up).await?
            } {}
        }
        Ok(())
    }

    /// Forgets deliveries that ended before, and their notices; true when there may be more of them.
    pub async fn forget_webhooks(&self, before_ms: i64) -> Result<bool> {
        let dialect = self.inner.dialect;
        self.write((dialect, before_ms), |tx, (dialect, before_ms)| {
            Box::pin(forget(tx, *dialect, *before_ms))
        })
        .await
    }
}

/// True when there may be more of them.
fn give_up<'c>(tx: &'c mut Tx, lane: &'c TooLong) -> BoxFuture<'c, Result<bool>> {
    Box::pin(async move {
        let given_up = sqlx::query(
            "UPDATE webhook_deliveries SET state = 'failed', updated_at = $2, reason = \
               'it waited for 30 days: the endpoint was off, or not in the file of the shop' \
             WHERE id IN ( \
               SELECT id FROM webhook_deliveries \
               WHERE shop = $3 AND endpoint = $4 AND state IN ('waiting', 'sending') AND due_at < $1 \
               ORDER BY due_at, id LIMIT $5)",
        )
        .bind(lane.due_before)
        .bind(lane.now_ms)
        .bind(&lane.shop)
        .bind(&lane.endpoint)
        .bind(BATCH)
        .execute(tx.connection())
        .await?
        .rows_affected();
        Ok(given_up >= BATCH.unsigned_abs())
    })
}

/// A notice goes with the last of its deliveries. It is taken before any of them goes: of two hosts that each delete
/// one, neither would see that it was the last. One that another host has taken is left to that.
pub(super) async fn forget(tx: &mut Tx, dialect: Dialect, before_ms: i64) -> Result<bool> {
    let text = format!(
        "SELECT id FROM webhooks WHERE id IN ( \
           SELECT webhook_id FROM webhook_deliveries WHERE state IN ('done', 'failed') AND updated_at < $1 \
           ORDER BY updated_at, id LIMIT {BATCH}){}",
        dialect.skip_locked()
    );
    let notices = sqlx::query(AssertSqlSafe(text)).bind(before_ms).fetch_all(tx.connection()).await?;
    let mut gone = 0;
    for notice in &notices {
        let id: String = notice.try_get(0)?;
        gone += sqlx::query(
            "DELETE FROM webhook_deliveries \
             WHERE webhook_id = $1 AND state IN ('done', 'failed') AND updated_at < $2",
        )
        .bind(&id)
        .bind(before_ms)
        .execute(tx.connection())
        .await?
        .rows_affected();
        sqlx::query(
            "DELETE FROM webhooks WHERE id = $1 AND NOT EXISTS ( \
               SELECT 1 FROM webhook_deliveries WHERE webhook_id = $1)",
        )
        .bind(&id)
        .execute(tx.connection())
        .await?;
    }
    Ok(gone >= BATCH.unsigned_abs())
}
