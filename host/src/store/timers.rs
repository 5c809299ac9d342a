//! Timers: a table of their own; firing one makes an event and its job.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use sqlx::{AssertSqlSafe, Row as _};

use super::dialect::Dialect;
use super::outgoing::Origin;
use super::writer::Tx;
use super::{Result, Store, events, jobs, orders, to_json, usage};
use crate::domain::{DueTimer, Hook};

/// Timers fired in one transaction.
const BATCH: i64 = 100;

/// What a call does with one of its timers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimerChange {
    /// Sets it, or moves it.
    Set {
        key: String,
        due_at: i64,
        payload: String,
    },
    Cancel {
        key: String,
    },
}

impl Store {
    /// Makes an event and a job of each due timer, some at a time; gives how many.
    pub async fn fire_timers(&self, now_ms: i64) -> Result<u64> {
        // Looking is free; the writer is not.
        let row = sqlx::query("SELECT MIN(due_at) FROM timers").fetch_one(&self.inner.reads).await?;
        if row.try_get::<Option<i64>, _>(0)?.is_none_or(|first| first > now_ms) {
            return Ok(0);
        }
        self.write((self.inner.dialect, now_ms), fire).await
    }
}

/// The same key for another order or customer is another timer.
fn subject(origin: &Origin<'_>) -> String {
    match (origin.order_id, origin.customer_id) {
        (Some(order), _) => format!("order:{order}"),
        (None, Some(customer)) => format!("customer:{customer}"),
        (None, None) => String::new(),
    }
}

/// `set_at`: the clock of the call. How many more timers there are afterwards.
pub(super) async fn change(
    tx: &mut Tx,
    origin: &Origin<'_>,
    timer: &TimerChange,
    set_at: i64,
) -> Result<i64> {
    let (TimerChange::Set { key, .. } | TimerChange::Cancel { key }) = timer;
    let gone =
        sqlx::query("DELETE FROM timers WHERE shop = $1 AND plugin = $2 AND subject = $3 AND key = $4")
            .bind(origin.shop)
            .bind(origin.plugin)
            .bind(subject(origin))
            .bind(key)
            .execute(tx.connection())
            .await?
            .rows_affected();
    let gone = i64::try_from(gone).unwrap_or(i64::MAX);
    let TimerChange::Set { key, due_at, payload } = timer else { return Ok(-gone) };
    sqlx::query(
        "INSERT INTO timers (shop, plugin, subject, key, payload, due_at, set_at, order_id, customer_id, locale) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(origin.shop)
    .bind(origin.plugin)
    .bind(subject(origin))
    .bind(key)
    .bind(payload)
    .bind(*due_at)
    .bind(set_at)
    .bind(origin.order_id)
    .bind(origin.customer_id)
    .bind(origin.locale)
    .execute(tx.connection())
    .await?;
    tx.touched.work = true;
    Ok(1 - gone)
}

fn fire<'c>(tx: &'c mut Tx, (dialect, now_ms): &'c (Dialect, i64)) -> BoxFuture<'c, Result<u64>> {
    Box::pin(async move {
        let text = format!(
            "SELECT shop, plugin, subject, key, payload, due_at, set_at, order_id, customer_id, locale \
             FROM timers WHERE due_at <= $1 ORDER BY due_at, shop, plugin, subject, key LIMIT $2{}",
            dialect.skip_locked()
        );
        let due =
            sqlx::query(AssertSqlSafe(text)).bind(*now_ms).bind(BATCH).fetch_all(tx.connection()).await?;
        let mut fired = BTreeMap::new();
        for row in &due {
            let shop: String = row.try_get(0)?;
            let plugin: String = row.try_get(1)?;
            let subject: String = row.try_get(2)?;
            let timer = DueTimer {
                key: row.try_get(3)?,
                payload: row.try_get(4)?,
                due_at: row.try_get(5)?,
                set_at: row.try_get(6)?,
            };
            let order_id: Option<String> = row.try_get(7)?;
            // Whoever deletes it, fires it.
            let mine = sqlx::query(
                "DELETE FROM timers WHERE shop = $1 AND plugin = $2 AND subject = $3 AND key = $4 AND due_at = $5",
            )
            .bind(&shop)
            .bind(&plugin)
            .bind(&subject)
            .bind(&timer.key)
            .bind(timer.due_at)
            .execute(tx.connection())
            .await?
            .rows_affected();
            if mine == 0 {
                continue;
            }
            *fired.entry((shop.clone(), plugin.clone())).or_insert(0) += 1;
            let seq = match &order_id {
                Some(order) => {
                    orders::advance(tx, &shop, order, true, *now_ms).await?.map_or(0, |order| order.seq)
                }
                None => 0,
            };
            let event = events::Row {
                id: events::new_id("evt", *now_ms),
                shop,
                hook: Hook::Timer.name().to_owned(),
                order_id,
                customer_id: row.try_get(8)?,
                locale: row.try_get(9)?,
                seq,
                payload: to_json(&timer),
                late: false,
                received_at: *now_ms,
            };
            events::insert(tx, &event, "open", None).await?;
            jobs::insert(tx, &event, std::slice::from_ref(&plugin), *now_ms).await?;
        }
        usage::fired(tx, &fired).await?;
        Ok(due.len() as u64)
    })
}
