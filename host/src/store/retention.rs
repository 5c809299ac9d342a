//! What is finished and old is deleted, a batch at a time, so that other writes come between.

use std::fmt::Write as _;

use futures::future::BoxFuture;
use sqlx::{AssertSqlSafe, Row as _};

use super::writer::Tx;
use super::{Result, Store};

/// Of each kind in one transaction. Written into the statements: a database that is not told how few they are might
/// plan for a tenth of the table.
const BATCH: u32 = 200;

/// What ended before these instants may go (UTC milliseconds).
#[derive(Debug, Clone, Copy)]
pub struct Expiry {
    pub intake_keys: i64,
    pub events: i64,
    pub messages: i64,
}

/// Once through all that is old.
#[derive(Debug, Clone)]
pub struct Sweep {
    expiry: Expiry,
    /// The event that was looked at last: what may not go yet is looked at once, not again for each batch behind it.
    after: (i64, String),
}

impl Sweep {
    #[must_use]
    pub fn of(expiry: Expiry) -> Self {
        Self { expiry, after: (i64::MIN, String::new()) }
    }
}

/// The oldest events, and whether nothing will ask for them again. An order whose jobs are not all done with keeps all
/// its events: a message that one of these sends may be cancelled by what came later.
const OLD_EVENTS: &str = "
SELECT e.id, e.received_at, CASE
    WHEN COALESCE(e.finished_at, e.received_at) < $1
      AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.event_id = e.id)
      AND NOT EXISTS (
        SELECT 1 FROM events other JOIN jobs j ON j.event_id = other.id
        WHERE other.shop = e.shop AND other.order_id = e.order_id)
    THEN 1 ELSE 0 END
FROM events e
WHERE e.state = 'done' AND e.received_at < $1 AND e.received_at >= $2 AND (e.received_at > $2 OR e.id > $3)
ORDER BY e.received_at, e.id LIMIT $4";

const OLD_KEYS: &str = "
DELETE FROM intake_keys WHERE (shop, source, id) IN (
    SELECT shop, source, id FROM intake_keys WHERE at < $1 ORDER BY at LIMIT {batch})";

/// The condition is the index's, word for word.
const OLD_MESSAGES: &str = "
DELETE FROM messages WHERE id IN (
    SELECT id FROM messages
    WHERE (state = 'dropped' OR (state IN ('sent', 'delivered', 'bounced', 'complained') AND dedupe_key IS NULL))
      AND updated_at < $1
    ORDER BY updated_at LIMIT {batch})";

/// With an event go its jobs, their attempts, and its effects: `{events}` is the list of ids.
const WITH_EVENTS: [&str; 4] = [
    "DELETE FROM attempts WHERE job_id IN (SELECT id FROM jobs_history WHERE event_id IN ({events}))",
    "DELETE FROM jobs_history WHERE event_id IN ({events})",
    "DELETE FROM effects WHERE event_id IN ({events})",
    "DELETE FROM events WHERE id IN ({events})",
];

impl Store {
    /// Deletes a batch of what is old, and gives how many rows that were. `None`: the sweep is at its end.
    pub async fn forget(&self, sweep: &mut Sweep) -> Result<Option<u64>> {
        // Looking is free; the writer is not. Nothing makes an old event young again: it stays on the list.
        let looked = sqlx::query(OLD_EVENTS)
            .bind(sweep.expiry.events)
            .bind(sweep.after.0)
            .bind(&sweep.after.1)
            .bind(i64::from(BATCH))
            .fetch_all(&self.inner.reads)
            .await?;
        let mut events = Vec::new();
        for row in &looked {
            let id: String = row.try_get(0)?;
            sweep.after = (row.try_get(1)?, id.clone());
            if row.try_get::<i64, _>(2)? != 0 {
                events.push(id);
            }
        }
        if events.is_empty() && !self.has_old_rows(&sweep.expiry).await? {
            return Ok((!looked.is_empty()).then_some(0));
        }
        self.write((sweep.expiry, events), forget).await.map(Some)
    }

    async fn has_old_rows(&self, expiry: &Expiry) -> Result<bool> {
        let found = sqlx::query(
            "SELECT 1 FROM intake_keys WHERE at < $1 \
             UNION ALL SELECT 1 FROM messages \
               WHERE (state = 'dropped' OR (state IN ('sent', 'delivered', 'bounced', 'complained') \
                 AND dedupe_key IS NULL)) AND updated_at < $2 \
             LIMIT 1",
        )
        .bind(expiry.intake_keys)
        .bind(expiry.messages)
        .fetch_optional(&self.inner.reads)
        .await?;
        Ok(found.is_some())
    }
}

fn forget<'c>(tx: &'c mut Tx, (expiry, events): &'c (Expiry, Vec<String>)) -> BoxFuture<'c, Result<u64>> {
    Box::pin(async move {
        let mut gone = delete_events(tx, events).await?;
        for (text, before) in [(OLD_KEYS, expiry.intake_keys), (OLD_MESSAGES, expiry.messages)] {
            gone += sqlx::query(AssertSqlSafe(text.replace("{batch}", &BATCH.to_string())))
                .bind(before)
                .execute(tx.connection())
                .await?
                .rows_affected();
        }
        Ok(gone)
    })
}

async fn delete_events(tx: &mut Tx, events: &[String]) -> Result<u64> {
    if events.is_empty() {
        return Ok(0);
    }
    let mut list = String::new();
    for place in 1..=events.len() {
        let comma = if place == 1 { "" } else { ", " };
        let _ = write!(list, "{comma}${place}");
    }
    let mut gone = 0;
    for text in WITH_EVENTS {
        let mut query = sqlx::query(AssertSqlSafe(text.replace("{events}", &list)));
        for event in events {
            query = query.bind(event);
        }
        gone += query.execute(tx.connection()).await?.rows_affected();
    }
    Ok(gone)
}
