//! The ledger of points: append-only. A plugin says what a reference earns in sum; the difference is added.

use sqlx::Row as _;

use super::outgoing::Origin;
use super::writer::Tx;
use super::{Result, StoreError};

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
    sqlx::query(
        "INSERT INTO points (shop, customer_id, plugin, reference, revision, total, delta, event_id, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(origin.shop)
    .bind(customer)
    .bind(origin.plugin)
    .bind(reference)
    .bind(revision.saturating_add(1))
    .bind(total)
    .bind(delta)
    .bind(origin.event_id)
    .bind(origin.now_ms)
    .execute(tx.connection())
    .await?;
    tx.touched.customers.push((origin.shop.to_owned(), customer.to_owned()));
    Ok(())
}
