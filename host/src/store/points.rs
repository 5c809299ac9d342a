//! The ledger of points: append-only. A plugin says what a reference earns in sum; the difference is added.

use serde::Serialize;
use sqlx::Row as _;
use utoipa::ToSchema;

use super::mark::Mark;
use super::outgoing::Origin;
use super::writer::Tx;
use super::{Result, Store, StoreError, gate};
use crate::domain::money;

/// Where an entry lies among those of its instant; padded, so that texts sort as numbers do.
pub(super) const ID: &str = "plugin || '/' || reference || '/' || CAST(revision + 1000000000000 AS TEXT)";

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PointsEntry {
    #[serde(with = "crate::domain::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub at: i64,
    pub plugin: String,
    /// What earned them, e.g. an order.
    pub reference: String,
    /// What the reference earned in sum, from here on.
    pub total: i64,
    /// What that added; negative: taken back.
    pub delta: i64,
    /// After it; negative: owed.
    pub balance: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    pub event_id: String,
}

/// A page of a customer's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointsPage {
    /// Newest first.
    pub entries: Vec<PointsEntry>,
    /// There are more before it.
    pub next: Option<Mark>,
}

impl Store {
    pub async fn points(
        &self,
        shop: &str,
        customer: &str,
        before: Option<&Mark>,
        limit: usize,
    ) -> Result<PointsPage> {
        let (at, id) = Mark::bounds(before, 0);
        let mut reads = self.inner.reads.acquire().await?;
        let text = format!(
            "SELECT at, {ID}, plugin, reference, total, delta, order_id, event_id FROM points \
             WHERE shop = $1 AND customer_id = $2 AND (at < $3 OR (at = $3 AND {ID} < $4)) \
             ORDER BY at DESC, 2 DESC LIMIT $5"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(gate::around(text)))
            .bind(shop)
            .bind(customer)
            .bind(at)
            .bind(id)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1))
            .fetch_all(&mut *reads)
            .await?;
        let Some(newest) = rows.first() else {
            return Ok(PointsPage { entries: Vec::new(), next: None });
        };
        // Nothing is ever put in between: the sum up to the newest of the page is its balance.
        let text = format!(
            "SELECT CAST(SUM(delta) AS BIGINT) FROM points \
             WHERE shop = $1 AND customer_id = $2 AND (at < $3 OR (at = $3 AND {ID} <= $4))"
        );
        let mut balance: i64 = sqlx::query(sqlx::AssertSqlSafe(gate::around(text)))
            .bind(shop)
            .bind(customer)
            .bind(newest.try_get::<i64, _>(0)?)
            .bind(newest.try_get::<String, _>(1)?)
            .fetch_one(&mut *reads)
            .await?
            .try_get(0)?;
        let mut entries = Vec::new();
        let mut last = None;
        for row in rows.iter().take(limit) {
            let delta: i64 = row.try_get(5)?;
            entries.push(PointsEntry {
                at: row.try_get(0)?,
                plugin: row.try_get(2)?,
                reference: row.try_get(3)?,
                total: row.try_get(4)?,
                delta,
                balance,
                order_id: row.try_get(6)?,
                event_id: row.try_get(7)?,
            });
            balance = balance.saturating_sub(delta);
            last = Some(Mark { at: row.try_get(0)?, source: 0, id: row.try_get(1)? });
        }
        Ok(PointsPage { entries, next: last.filter(|_| rows.len() > limit) })
    }
}

pub(super) async fn set(
    tx: &mut Tx,
    origin: &Origin<'_>,
    customer: &str,
    reference: &str,
    total: i64,
) -> Result<()> {
    let newest = sqlx::query(
        "SELECT revision, total FROM points \
         WHERE shop = $1 AND customer_id = $2 AND plugin = $3 AND reference = $4 \
         ORDER BY revision DESC LIMIT 1",
    )
    .bind(origin.shop)
    .bind(customer)
    .bind(origin.plugin)
    .bind(reference)
    .fetch_optional(tx.connection())
    .await?;
    let (revision, before): (i64, i64) = match newest {
        Some(row) => (row.try_get(0)?, row.try_get(1)?),
        None => (0, 0),
    };
    let delta = total
        .checked_sub(before)
        .ok_or_else(|| StoreError::Invalid(format!("points.set: {total} is no number of points")))?;
    if delta == 0 {
        return Ok(());
    }
    // A balance that no number holds would take its customer out of every answer.
    let balance = balance(tx, origin.shop, customer).await?.saturating_add(delta);
    if !money::is_amount(balance) {
        return Err(StoreError::Invalid(format!(
            "points.set: with {total} for `{reference}` the customer's balance is over 2^53-1"
        )));
    }
    sqlx::query(
        "INSERT INTO points (shop, customer_id, plugin, reference, revision, total, delta, event_id, order_id, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(origin.shop)
    .bind(customer)
    .bind(origin.plugin)
    .bind(reference)
    .bind(revision.saturating_add(1))
    .bind(total)
    .bind(delta)
    .bind(origin.event_id)
    .bind(origin.order_id)
    .bind(origin.now_ms)
    .execute(tx.connection())
    .await?;
    tx.touched.customers.push((origin.shop.to_owned(), customer.to_owned()));
    Ok(())
}

async fn balance(tx: &mut Tx, shop: &str, customer: &str) -> Result<i64> {
    Ok(sqlx::query(
        "SELECT CAST(COALESCE(SUM(delta), 0) AS BIGINT) FROM points WHERE shop = $1 AND customer_id = $2",
    )
    .bind(shop)
    .bind(customer)
    .fetch_one(tx.connection())
    .await?
    .try_get(0)?)
}
