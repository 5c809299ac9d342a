//! Notices to the shop's own systems: written with their cause, copied to each subscriber, told later.

use futures::future::BoxFuture;
use sqlx::Row as _;

use super::outgoing::Origin;
use super::writer::Tx;
use super::{Result, Store, events};

/// An endpoint was switched off.
pub(super) const DISABLED: &str = "webhook.disabled";
/// The merchant tries an endpoint.
const TEST: &str = "webhook.test";

/// A notice for the subscribers of `topic`; its id is the key by which they tell a repetition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWebhook {
    pub id: String,
    pub topic: String,
    /// JSON.
    pub payload: String,
}

/// A notice that has not been copied to its subscribers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub id: String,
    pub shop: String,
    pub topic: String,
    pub created_at: i64,
}

/// What becomes of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spread {
    /// To these endpoints, by name. To none: nobody asked, and nothing is kept.
    To(Vec<String>),
    /// Its shop is not live.
    Later(i64),
}

pub(super) async fn insert(tx: &mut Tx, origin: &Origin<'_>, new: &NewWebhook) -> Result<()> {
    store(tx, origin.shop, origin.plugin, origin.event_id, new, origin.now_ms).await
}

pub(super) async fn store(
    tx: &mut Tx,
    shop: &str,
    plugin: &str,
    event_id: &str,
    new: &NewWebhook,
    now_ms: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO webhooks (id, shop, plugin, event_id, topic, payload, state, due_at, attempts, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, 0, $7)",
    )
    .bind(&new.id)
    .bind(shop)
    .bind(plugin)
    .bind(event_id)
    .bind(&new.topic)
    .bind(&new.payload)
    .bind(now_ms)
    .execute(tx.connection())
    .await?;
    tx.touched.webhooks = true;
    Ok(())
}

struct Spreading {
    spread: Vec<(Notice, Spread)>,
    now_ms: i64,
}

struct Test {
    shop: String,
    endpoint: String,
    now_ms: i64,
}

impl Store {
    /// Notices that have not been copied to their subscribers, the oldest first.
    pub async fn notices(&self, now_ms: i64, limit: u32) -> Result<Vec<Notice>> {
        sqlx::query(
            "SELECT id, shop, topic, created_at FROM webhooks WHERE state = 'waiting' AND due_at <= $1 \
             ORDER BY due_at, id LIMIT $2",
        )
        .bind(now_ms)
        .bind(i64::from(limit))
        .fetch_all(&self.inner.reads)
        .await?
        .iter()
        .map(|row| {
            Ok(Notice {
                id: row.try_get(0)?,
                shop: row.try_get(1)?,
                topic: row.try_get(2)?,
                created_at: row.try_get(3)?,
            })
        })
        .collect()
    }

    /// The instant at which a notice is looked at next.
    pub async fn next_notice(&self) -> Result<Option<i64>> {
        let row = sqlx::query("SELECT MIN(due_at) FROM webhooks WHERE state = 'waiting'")
            .fetch_one(&self.inner.reads)
            .await?;
        Ok(row.try_get(0)?)
    }

    /// One delivery for each subscriber of each notice, once.
    pub async fn spread(&self, spread: Vec<(Notice, Spread)>, now_ms: i64) -> Result<()> {
        self.write(Spreading { spread, now_ms }, spread_all).await
    }

    /// A `webhook.test` for one endpoint alone. Gives the delivery's id.
    pub async fn test_endpoint(&self, shop: &str, endpoint: &str, now_ms: i64) -> Result<String> {
        let test = Test { shop: shop.to_owned(), endpoint: endpoint.to_owned(), now_ms };
        self.write(test, test_one).await
    }
}

fn spread_all<'c>(tx: &'c mut Tx, input: &'c Spreading) -> BoxFuture<'c, Result<()>> {
    Box::pin(async move {
        for (notice, spread) in &input.spread {
            match spread {
                Spread::Later(due_at) => {
                    sqlx::query("UPDATE webhooks SET due_at = $2 WHERE id = $1 AND state = 'waiting'")
                        .bind(&notice.id)
                        .bind(*due_at)
                        .execute(tx.connection())
                        .await?;
                }
                Spread::To(endpoints) if endpoints.is_empty() => {
                    sqlx::query("DELETE FROM webhooks WHERE id = $1 AND state = 'waiting'")
                        .bind(&notice.id)
                        .execute(tx.connection())
                        .await?;
                }
                Spread::To(endpoints) => copy(tx, notice, endpoints, input.now_ms).await?,
            }
        }
        tx.touched.webhooks = true;
        Ok(())
    })
}

async fn copy(tx: &mut Tx, notice: &Notice, endpoints: &[String], now_ms: i64) -> Result<()> {
    let mine = sqlx::query("UPDATE webhooks SET state = 'done' WHERE id = $1 AND state = 'waiting'")
        .bind(&notice.id)
        .execute(tx.connection())
        .await?
        .rows_affected();
    // Another host has done it.
    if mine == 0 {
        return Ok(());
    }
    for endpoint in endpoints {
        deliver(tx, notice, endpoint, now_ms).await?;
    }
    Ok(())
}

async fn deliver(tx: &mut Tx, notice: &Notice, endpoint: &str, now_ms: i64) -> Result<String> {
    let id = events::new_id("dlv", now_ms);
    sqlx::query(
        "INSERT INTO webhook_deliveries (id, shop, endpoint, webhook_id, topic, state, lease_token, due_at, \
           attempts, created_at, updated_at) \
         SELECT $1, $2, $3, $4, $5, 'waiting', 0, $6, 0, $6, $6 \
         WHERE $5 <> $7 OR NOT EXISTS ( \
           SELECT 1 FROM webhook_endpoints WHERE shop = $2 AND name = $3 AND off_since IS NOT NULL)",
    )
    .bind(&id)
    .bind(&notice.shop)
    .bind(endpoint)
    .bind(&notice.id)
    .bind(&notice.topic)
    .bind(now_ms)
    // One that is switched off need not be told so when it is on again.
    .bind(DISABLED)
    .execute(tx.connection())
    .await?;
    Ok(id)
}

fn test_one<'c>(tx: &'c mut Tx, input: &'c Test) -> BoxFuture<'c, Result<String>> {
    Box::pin(async move {
        let data = serde_json::json!({ "endpoint": input.endpoint });
        let notice = NewWebhook {
            id: events::new_id("whk", input.now_ms),
            topic: TEST.to_owned(),
            payload: data.to_string(),
        };
        store(tx, &input.shop, "", "", &notice, input.now_ms).await?;
        let notice =
            Notice { id: notice.id, shop: input.shop.clone(), topic: notice.topic, created_at: input.now_ms };
        sqlx::query("UPDATE webhooks SET state = 'done' WHERE id = $1")
            .bind(&notice.id)
            .execute(tx.connection())
            .await?;
        deliver(tx, &notice, &input.endpoint, input.now_ms).await
    })
}
