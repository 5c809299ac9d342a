//! Events as they are stored, with their jobs: open ones, and those that are held because they are too
//! early.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use sqlx::{AssertSqlSafe, Row as _};
use uuid::{ContextV7, Timestamp, Uuid};

use super::entry::{self, Beside, Standing};
use super::intake::{Intake, Subscribers};
use super::writer::{Subject, Tx};
use super::{CONTRACT, Result, Store, from_json, heads, jobs, outgoing};
use crate::domain::{Event, Hook};

/// Held events that have waited long enough, in one transaction.
const LATE: i64 = 100;

/// An event as its jobs need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub id: String,
    pub shop: String,
    pub hook: String,
    pub order_id: Option<String>,
    pub customer_id: Option<String>,
    pub locale: Option<String>,
    pub seq: i64,
    /// JSON of [`Event`], or of [`crate::domain::DueTimer`] for the hook `timer`.
    pub payload: String,
    pub late: bool,
    pub received_at: i64,
}

struct Late {
    shop: String,
    currency: String,
    subscribers: Arc<Subscribers>,
    now_ms: i64,
}

impl Store {
    pub async fn event(&self, id: &str) -> Result<Option<Row>> {
        let row = sqlx::query(
            "SELECT id, shop, hook, order_id, customer_id, locale, seq, payload, late, received_at \
             FROM events WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&self.inner.reads)
        .await?;
        row.as_ref().map(read).transpose()
    }

    /// Shops with held events that have waited long enough.
    pub async fn shops_with_late_events(&self, now_ms: i64) -> Result<Vec<String>> {
        // A shop that is not live anywhere keeps its events held: they are not read again and again.
        let text = heads::HELD.heads("SELECT shop FROM head WHERE hold_until <= $2");
        sqlx::query(AssertSqlSafe(text))
            .bind("")
            .bind(now_ms)
            .fetch_all(&self.inner.reads)
            .await?
            .iter()
            .map(|row| Ok(row.try_get(0)?))
            .collect()
    }

    /// Gives the shop's held events that have waited long enough their jobs, marked late, those of some orders at a
    /// time. True when there may be more of them.
    pub async fn release_late(
        &self,
        shop: &str,
        currency: &str,
        subscribers: Arc<Subscribers>,
        now_ms: i64,
    ) -> Result<bool> {
        let late = Late { shop: shop.to_owned(), currency: currency.to_owned(), subscribers, now_ms };
        self.write(late, release_late).await
    }
}

/// Unique, in the order of the clock, and within a millisecond in the order of the calls.
pub fn new_id(prefix: &str, now_ms: i64) -> String {
    static COUNTER: Mutex<ContextV7> = Mutex::new(ContextV7::new());
    let milliseconds = u64::try_from(now_ms).unwrap_or_default();
    let nanoseconds = u32::try_from(milliseconds % 1_000).unwrap_or_default() * 1_000_000;
    let timestamp = Timestamp::from_unix(&COUNTER, milliseconds / 1_000, nanoseconds);
    format!("{prefix}_{}", Uuid::new_v7(timestamp).simple())
}

fn read(row: &sqlx::any::AnyRow) -> Result<Row> {
    Ok(Row {
        id: row.try_get(0)?,
        shop: row.try_get(1)?,
        hook: row.try_get(2)?,
        order_id: row.try_get(3)?,
        customer_id: row.try_get(4)?,
        locale: row.try_get(5)?,
        seq: row.try_get(6)?,
        payload: row.try_get(7)?,
        late: row.try_get::<i64, _>(8)? != 0,
        received_at: row.try_get(9)?,
    })
}

/// Writes the event, or opens a held one, with its jobs; cancels what it cancels.
pub(super) async fn open(
    tx: &mut Tx,
    row: &Row,
    subscribers: &Subscribers,
    now_ms: i64,
    was_held: bool,
) -> Result<()> {
    let plugins = Hook::from_name(&row.hook).and_then(|hook| subscribers.get(&hook));
    let plugins = plugins.map(Vec::as_slice).unwrap_or_default();
    let state = if plugins.is_empty() { "done" } else { "open" };
    if was_held {
        sqlx::query(
            "UPDATE events SET state = $2, seq = $3, customer_id = $4, locale = $5, late = $6, hold_until = NULL \
             WHERE id = $1",
        )
        .bind(&row.id)
        .bind(state)
        .bind(row.seq)
        .bind(row.customer_id.as_deref())
        .bind(row.locale.as_deref())
        .bind(i64::from(row.late))
        .execute(tx.connection())
        .await?;
        tx.touched.events.push(row.id.clone());
    } else {
        insert(tx, row, state, None).await?;
    }
    jobs::insert(tx, row, plugins, now_ms).await?;
    // An order's first event finds no message of it.
    if let Some(order_id) = row.order_id.as_ref().filter(|_| row.seq > 1) {
        outgoing::cancel_on(tx, &row.shop, order_id, &row.hook, now_ms).await?;
    }
    Ok(())
}

pub(super) async fn insert(tx: &mut Tx, row: &Row, state: &str, hold_until: Option<i64>) -> Result<()> {
    sqlx::query(
        "INSERT INTO events (id, shop, hook, order_id, customer_id, seq, payload, contract, locale, state, late, \
           hold_until, received_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(&row.id)
    .bind(&row.shop)
    .bind(&row.hook)
    .bind(row.order_id.as_deref())
    .bind(row.customer_id.as_deref())
    .bind(row.seq)
    .bind(&row.payload)
    .bind(CONTRACT)
    .bind(row.locale.as_deref())
    .bind(state)
    .bind(i64::from(row.late))
    .bind(hold_until)
    .bind(row.received_at)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Held events of the order whose elder has come, in the order they came, as long as one makes the next
/// possible.
pub(super) async fn release(tx: &mut Tx, intake: &Intake, order_id: &str) -> Result<()> {
    loop {
        let held = sqlx::query(
            "SELECT id, shop, hook, order_id, customer_id, locale, seq, payload, late, received_at \
             FROM events WHERE shop = $1 AND order_id = $2 AND state = 'held' ORDER BY received_at, id",
        )
        .bind(&intake.shop)
        .bind(order_id)
        .fetch_all(tx.connection())
        .await?;
        let mut released = false;
        for held in &held {
            released |= admit(tx, read(held)?, &intake.currency, &intake.subscribers, intake.now_ms).await?;
        }
        if !released {
            return Ok(());
        }
    }
}

/// Opens a held event if it may.
async fn admit(
    tx: &mut Tx,
    mut row: Row,
    currency: &str,
    subscribers: &Subscribers,
    now_ms: i64,
) -> Result<bool> {
    let event: Event = from_json("event", row.payload.clone())?;
    let beside = Beside { currency, ..Beside::default() };
    let Standing::Ready { seq, customer_id, locale, .. } =
        entry::enter(tx, &row, &event, beside, now_ms).await?
    else {
        return Ok(false);
    };
    row.seq = seq;
    row.customer_id = row.customer_id.or(customer_id);
    row.locale = row.locale.or(locale);
    open(tx, &row, subscribers, now_ms, true).await?;
    Ok(true)
}

fn release_late<'c>(tx: &'c mut Tx, late: &'c Late) -> BoxFuture<'c, Result<bool>> {
    Box::pin(async move {
        let found = sqlx::query(
            "SELECT order_id FROM events WHERE shop = $1 AND state = 'held' AND hold_until <= $2 \
             ORDER BY hold_until, id LIMIT $3",
        )
        .bind(&late.shop)
        .bind(late.now_ms)
        .bind(LATE)
        .fetch_all(tx.connection())
        .await?;
        let orders: BTreeSet<String> = found.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<_>>()?;
        tx.lock(orders.iter().map(|id| Subject::Order(&late.shop, id)).collect()).await?;
        // Only now can nobody else release them.
        for order in &orders {
            let held = sqlx::query(
                "SELECT id, shop, hook, order_id, customer_id, locale, seq, payload, late, received_at \
                 FROM events WHERE shop = $1 AND order_id = $2 AND state = 'held' AND hold_until <= $3 \
                 ORDER BY received_at, id",
            )
            .bind(&late.shop)
            .bind(order)
            .bind(late.now_ms)
            .fetch_all(tx.connection())
            .await?;
            for held in &held {
                let row = Row { late: true, ..read(held)? };
                admit(tx, row, &late.currency, &late.subscribers, late.now_ms).await?;
            }
        }
        Ok(i64::try_from(found.len()).unwrap_or(i64::MAX) >= LATE)
    })
}
