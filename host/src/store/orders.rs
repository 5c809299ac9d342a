//! Orders and their shipments, and the sequence by which an order's events are told apart.

use std::collections::BTreeMap;

use sqlx::Row as _;

use super::writer::Tx;
use super::{CONTRACT, Result, Store, from_json, to_json};
use crate::domain::{DeliveryUpdate, Order, OrderRecord, Shipment};

/// A placed order, with what is kept beside it.
pub(super) struct NewOrder<'a> {
    pub shop: &'a str,
    pub order: &'a Order,
    pub customer_id: Option<&'a str>,
    pub locale: Option<&'a str>,
    /// JSON of the verified quote.
    pub quote: Option<&'a str>,
    /// What it adds to the sum a customer spent: the total, when in the shop's currency.
    pub spent: i64,
    pub event_id: &'a str,
    pub now_ms: i64,
}

/// An order that was placed just now.
pub(super) struct Placed {
    pub seq: i64,
    /// Its cancellation came first.
    pub cancelled: bool,
    /// Events that came before it are held.
    pub awaited: bool,
}

/// An order as an event finds it.
pub(super) struct Advanced {
    pub seq: i64,
    pub customer_id: Option<String>,
    pub locale: Option<String>,
    pub status: String,
}

impl Store {
    pub async fn order(&self, shop: &str, id: &str) -> Result<Option<OrderRecord>> {
        let reads = &self.inner.reads;
        let Some(row) = sqlx::query(
            "SELECT payload, customer_id, locale, status FROM orders \
             WHERE shop = $1 AND id = $2 AND payload IS NOT NULL",
        )
        .bind(shop)
        .bind(id)
        .fetch_optional(reads)
        .await?
        else {
            return Ok(None);
        };
        let labels = sqlx::query(
            "SELECT key, value FROM labels WHERE shop = $1 AND kind = 'order' AND subject = $2 ORDER BY key",
        )
        .bind(shop)
        .bind(id)
        .fetch_all(reads)
        .await?
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<BTreeMap<_, _>>>()?;
        Ok(Some(OrderRecord {
            order: from_json("order", row.try_get(0)?)?,
            customer_id: row.try_get(1)?,
            locale: row.try_get(2)?,
            status: row.try_get(3)?,
            shipments: self.shipments(shop, id).await?,
            labels,
        }))
    }

    /// In the order they were sent; also of an order that has not come yet.
    pub async fn shipments(&self, shop: &str, order_id: &str) -> Result<Vec<Shipment>> {
        sqlx::query("SELECT payload FROM shipments WHERE shop = $1 AND order_id = $2 ORDER BY shipped_at, id")
            .bind(shop)
            .bind(order_id)
            .fetch_all(&self.inner.reads)
            .await?
            .iter()
            .map(|row| from_json("shipment", row.try_get(0)?))
            .collect()
    }
}

/// `None` when it is known already.
pub(super) async fn place(tx: &mut Tx, new: &NewOrder<'_>) -> Result<Option<Placed>> {
    let order = new.order;
    let mut products: Vec<&str> = order.lines.iter().map(|line| line.product.as_str()).collect();
    products.sort_unstable();
    products.dedup();
    let row = sqlx::query(
        "INSERT INTO orders (shop, id, last_seq, payload, contract, status, customer_id, locale, currency, \
           total, spent, products, quote, placed_event, placed_at, updated_at) \
         VALUES ($1, $2, 1, $3, $4, 'placed', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
         ON CONFLICT (shop, id) DO UPDATE SET \
           last_seq = orders.last_seq + 1, payload = excluded.payload, contract = excluded.contract, \
           status = CASE WHEN orders.status = 'unknown' THEN 'placed' ELSE orders.status END, \
           customer_id = excluded.customer_id, locale = excluded.locale, currency = excluded.currency, \
           total = excluded.total, spent = excluded.spent, products = excluded.products, \
           quote = excluded.quote, placed_event = excluded.placed_event, placed_at = excluded.placed_at, \
           updated_at = excluded.updated_at \
         WHERE orders.payload IS NULL \
         RETURNING last_seq, status, \
           (SELECT COUNT(*) FROM events WHERE shop = $1 AND order_id = $2 AND state = 'held')",
    )
    .bind(new.shop)
    .bind(&order.id)
    .bind(to_json(order))
    .bind(CONTRACT)
    .bind(new.customer_id)
    .bind(new.locale)
    .bind(&order.currency)
    .bind(order.total)
    .bind(new.spent)
    .bind(to_json(&products))
    .bind(new.quote)
    .bind(new.event_id)
    .bind(order.placed_at)
    .bind(new.now_ms)
    .fetch_optional(tx.connection())
    .await?;
    if let (Some(_), Some(customer)) = (&row, new.customer_id) {
        tx.touched.customers.push((new.shop.to_owned(), customer.to_owned()));
    }
    row.map(|row| {
        let status: String = row.try_get(1)?;
        let held: i64 = row.try_get(2)?;
        Ok(Placed { seq: row.try_get(0)?, cancelled: status == "cancelled", awaited: held > 0 })
    })
    .transpose()
}

/// An order as it was first placed. Its row outlives the event that placed it.
pub(super) struct First {
    pub event_id: String,
    /// JSON of [`Order`].
    pub payload: String,
    pub locale: Option<String>,
}

pub(super) async fn placed(tx: &mut Tx, shop: &str, id: &str) -> Result<Option<First>> {
    sqlx::query(
        "SELECT placed_event, payload, locale FROM orders \
         WHERE shop = $1 AND id = $2 AND placed_event IS NOT NULL AND payload IS NOT NULL",
    )
    .bind(shop)
    .bind(id)
    .fetch_optional(tx.connection())
    .await?
    .map(|row| Ok(First { event_id: row.try_get(0)?, payload: row.try_get(1)?, locale: row.try_get(2)? }))
    .transpose()
}

/// Gives the next sequence number of an order. An order that has not come is `None`, unless `late`.
pub(super) async fn advance(
    tx: &mut Tx,
    shop: &str,
    id: &str,
    late: bool,
    now_ms: i64,
) -> Result<Option<Advanced>> {
    let known = sqlx::query(
        "UPDATE orders SET last_seq = last_seq + 1, updated_at = $3 \
         WHERE shop = $1 AND id = $2 AND (payload IS NOT NULL OR $4 = 1) \
         RETURNING last_seq, customer_id, locale, status",
    )
    .bind(shop)
    .bind(id)
    .bind(now_ms)
    .bind(i64::from(late))
    .fetch_optional(tx.connection())
    .await?;
    if let Some(row) = known {
        return Ok(Some(Advanced {
            seq: row.try_get(0)?,
            customer_id: row.try_get(1)?,
            locale: row.try_get(2)?,
            status: row.try_get(3)?,
        }));
    }
    if !late {
        return Ok(None);
    }
    sqlx::query(
        "INSERT INTO orders (shop, id, last_seq, contract, status, total, spent, placed_at, updated_at) \
         VALUES ($1, $2, 1, $3, 'unknown', 0, 0, $4, $4)",
    )
    .bind(shop)
    .bind(id)
    .bind(CONTRACT)
    .bind(now_ms)
    .execute(tx.connection())
    .await?;
    Ok(Some(Advanced { seq: 1, customer_id: None, locale: None, status: "unknown".to_owned() }))
}

pub(super) async fn payload(tx: &mut Tx, shop: &str, id: &str) -> Result<Option<Order>> {
    let row = sqlx::query("SELECT payload FROM orders WHERE shop = $1 AND id = $2 AND payload IS NOT NULL")
        .bind(shop)
        .bind(id)
        .fetch_optional(tx.connection())
        .await?;
    row.map(|row| from_json("order", row.try_get(0)?)).transpose()
}

pub(super) async fn set_status(tx: &mut Tx, shop: &str, id: &str, status: &str) -> Result<()> {
    sqlx::query("UPDATE orders SET status = $3 WHERE shop = $1 AND id = $2")
        .bind(shop)
        .bind(id)
        .bind(status)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// A second report of a shipment changes it; what became of it stays.
pub(super) async fn put_shipment(
    tx: &mut Tx,
    shop: &str,
    order_id: &str,
    shipment: &Shipment,
    now_ms: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO shipments (shop, order_id, id, payload, shipped_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (shop, order_id, id) DO UPDATE SET \
           payload = excluded.payload, shipped_at = excluded.shipped_at, updated_at = excluded.updated_at",
    )
    .bind(shop)
    .bind(order_id)
    .bind(&shipment.id)
    .bind(to_json(shipment))
    .bind(shipment.shipped_at)
    .bind(now_ms)
    .execute(tx.connection())
    .await?;
    Ok(())
}

pub(super) async fn shipment(tx: &mut Tx, shop: &str, order_id: &str, id: &str) -> Result<Option<Shipment>> {
    let row = sqlx::query("SELECT payload FROM shipments WHERE shop = $1 AND order_id = $2 AND id = $3")
        .bind(shop)
        .bind(order_id)
        .bind(id)
        .fetch_optional(tx.connection())
        .await?;
    row.map(|row| from_json("shipment", row.try_get(0)?)).transpose()
}

/// What the carrier says now.
pub(super) async fn update_shipment(
    tx: &mut Tx,
    shop: &str,
    order_id: &str,
    mut shipment: Shipment,
    update: &DeliveryUpdate,
    delivered: bool,
    now_ms: i64,
) -> Result<()> {
    if update.estimated.is_some() {
        shipment.estimated.clone_from(&update.estimated);
    }
    sqlx::query(
        "UPDATE shipments SET payload = $4, stage = $5, updated_at = $6, \
           delivered_at = COALESCE(delivered_at, $7) \
         WHERE shop = $1 AND order_id = $2 AND id = $3",
    )
    .bind(shop)
    .bind(order_id)
    .bind(&shipment.id)
    .bind(to_json(&shipment))
    .bind(&update.stage)
    .bind(now_ms)
    .bind(delivered.then_some(update.at))
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Shipments that are still on their way.
pub(super) async fn under_way(tx: &mut Tx, shop: &str, order_id: &str) -> Result<bool> {
    Ok(sqlx::query(
        "SELECT 1 FROM shipments WHERE shop = $1 AND order_id = $2 AND delivered_at IS NULL LIMIT 1",
    )
    .bind(shop)
    .bind(order_id)
    .fetch_optional(tx.connection())
    .await?
    .is_some())
}
