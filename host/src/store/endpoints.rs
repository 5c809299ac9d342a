//! What came of each endpoint so far, and those that the host has switched off.

use futures::future::BoxFuture;
use sqlx::{Row as _, any::AnyRow};

use super::deliveries::Delivery;
use super::writer::Tx;
use super::{Result, Store, announce};

/// An endpoint, as its deliveries have shown it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointStanding {
    pub shop: String,
    pub name: String,
    pub last_success: Option<i64>,
    /// Since then nothing has arrived.
    pub failing_since: Option<i64>,
    /// Since then nothing is sent.
    pub off_since: Option<i64>,
    /// Why the last attempt failed, while it fails.
    pub reason: Option<String>,
    /// A hash of where the last failed attempt went and what signed it.
    pub address: Option<String>,
}

/// How an attempt at an endpoint ended.
pub(super) enum Outcome<'a> {
    Success,
    Failure { reason: &'a str, off_before: i64 },
    Gone { reason: &'a str },
}

const COLUMNS: &str = "shop, name, last_success, failing_since, off_since, reason, address";

impl Store {
    /// The endpoints of a shop that were ever tried.
    pub async fn endpoints(&self, shop: &str) -> Result<Vec<EndpointStanding>> {
        let text = format!("SELECT {COLUMNS} FROM webhook_endpoints WHERE shop = $1 ORDER BY name");
        let rows = sqlx::query(sqlx::AssertSqlSafe(text)).bind(shop).fetch_all(&self.inner.reads).await?;
        rows.iter().map(standing).collect()
    }

    /// Those that the host has switched off, of all shops.
    pub async fn endpoints_off(&self) -> Result<Vec<EndpointStanding>> {
        let text = format!(
            "SELECT {COLUMNS} FROM webhook_endpoints WHERE off_since IS NOT NULL ORDER BY shop, name"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(text)).fetch_all(&self.inner.reads).await?;
        rows.iter().map(standing).collect()
    }

    /// It is on again, as if it had never failed, and what waited for it goes on. False when it was on.
    pub async fn switch_on(&self, shop: &str, name: &str) -> Result<bool> {
        self.write((shop.to_owned(), name.to_owned()), switch_on).await
    }
}

fn standing(row: &AnyRow) -> Result<EndpointStanding> {
    Ok(EndpointStanding {
        shop: row.try_get(0)?,
        name: row.try_get(1)?,
        last_success: row.try_get(2)?,
        failing_since: row.try_get(3)?,
        off_since: row.try_get(4)?,
        reason: row.try_get(5)?,
        address: row.try_get(6)?,
    })
}

fn switch_on<'c>(tx: &'c mut Tx, (shop, name): &'c (String, String)) -> BoxFuture<'c, Result<bool>> {
    Box::pin(async move {
        let changed = sqlx::query(
            "UPDATE webhook_endpoints SET off_since = NULL, failing_since = NULL, reason = NULL \
             WHERE shop = $1 AND name = $2 AND off_since IS NOT NULL",
        )
        .bind(shop)
        .bind(name)
        .execute(tx.connection())
        .await?
        .rows_affected();
        tx.touched.webhooks |= changed > 0;
        Ok(changed > 0)
    })
}

/// Keeps how an attempt ended. True when the endpoint is switched off by it.
pub(super) async fn note(
    tx: &mut Tx,
    delivery: &Delivery,
    address: &str,
    outcome: &Outcome<'_>,
    now_ms: i64,
) -> Result<bool> {
    let Delivery { shop, endpoint, .. } = delivery;
    let (reason, off_before) = match outcome {
        Outcome::Success => {
            sqlx::query(
                "INSERT INTO webhook_endpoints (shop, name, last_success) VALUES ($1, $2, $3) \
                 ON CONFLICT (shop, name) DO UPDATE \
                 SET last_success = excluded.last_success, failing_since = NULL, reason = NULL",
            )
            .bind(shop)
            .bind(endpoint)
            .bind(now_ms)
            .execute(tx.connection())
            .await?;
            return Ok(false);
        }
        Outcome::Failure { reason, off_before } => (*reason, *off_before),
        Outcome::Gone { reason } => (*reason, i64::MAX),
    };
    // At a new address it begins to fail anew.
    let row = sqlx::query(
        "INSERT INTO webhook_endpoints (shop, name, failing_since, reason, address) \
         VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (shop, name) DO UPDATE SET reason = excluded.reason, address = excluded.address, \
           failing_since = CASE WHEN webhook_endpoints.address = excluded.address \
             THEN COALESCE(webhook_endpoints.failing_since, excluded.failing_since) \
             ELSE excluded.failing_since END \
         RETURNING failing_since",
    )
    .bind(shop)
    .bind(endpoint)
    .bind(now_ms)
    .bind(reason)
    .bind(address)
    .fetch_one(tx.connection())
    .await?;
    let since: i64 = row.try_get(0)?;
    if since > off_before {
        return Ok(false);
    }
    let off = sqlx::query(
        "UPDATE webhook_endpoints SET off_since = $3 WHERE shop = $1 AND name = $2 AND off_since IS NULL",
    )
    .bind(shop)
    .bind(endpoint)
    .bind(now_ms)
    .execute(tx.connection())
    .await?
    .rows_affected();
    if off > 0 {
        announce::endpoint_off(tx, shop, endpoint, reason, since, now_ms).await?;
    }
    Ok(off > 0)
}
