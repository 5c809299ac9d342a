//! What the host tells the shop's own systems of, written in the transaction that brings it about. The data
//! has ids and reasons, and no contact details.

use serde_json::{Value, json};
use sqlx::Row as _;

use super::coupons::{NewCoupon, Spending};
use super::jobs::{Failure, Next};
use super::outgoing::Origin;
use super::writer::Tx;
use super::{Result, events, webhooks};
use crate::domain::instant::to_rfc3339;

/// A message that was `sent` or `dropped`.
pub(super) async fn message(tx: &mut Tx, id: &str, state: &str, now_ms: i64) -> Result<()> {
    let topic = match state {
        "sent" => "message.sent",
        "dropped" => "message.dropped",
        _ => return Ok(()),
    };
    let row = sqlx::query(
        "SELECT shop, event_id, plugin, order_id, customer_id, channel, message_id, reason FROM messages \
         WHERE id = $1 AND state = $2",
    )
    .bind(id)
    .bind(state)
    .fetch_optional(tx.connection())
    .await?;
    let Some(row) = row else { return Ok(()) };
    let mut data = json!({
        "message_id": id,
        "plugin": row.try_get::<String, _>(2)?,
        "order_id": row.try_get::<Option<String>, _>(3)?,
        "customer_id": row.try_get::<Option<String>, _>(4)?,
    });
    if let Value::Object(data) = &mut data {
        for (name, column) in [("channel", 5), ("mail_message_id", 6), ("reason", 7)] {
            if let Some(value) = row.try_get::<Option<String>, _>(column)? {
                data.insert(name.to_owned(), Value::String(value));
            }
        }
    }
    let (shop, event_id): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    announce(tx, &shop, &event_id, topic, &data, now_ms).await
}

/// A new coupon, with its code: the shop's own till has to know it.
pub(super) async fn coupon(
    tx: &mut Tx,
    origin: &Origin<'_>,
    new: &NewCoupon,
    code: &str,
    currency: &str,
) -> Result<()> {
    let coupon = &new.coupon;
    let data = json!({
        "code": code,
        "plugin": origin.plugin,
        "purpose": coupon.purpose,
        "order_id": origin.order_id,
        "customer_id": origin.customer_id,
        "personal": coupon.personal,
        "value": coupon.value,
        "currency": currency,
        "max_uses": coupon.max_uses,
        "min_subtotal": coupon.min_subtotal,
        "expires_at": coupon.expires_at.map(to_rfc3339),
    });
    announce(tx, origin.shop, origin.event_id, "coupon.issued", &data, origin.now_ms).await
}

/// An order that came with a coupon of which nothing was left. The sale stands.
pub(super) async fn overused(
    tx: &mut Tx,
    spending: &Spending<'_>,
    code: &str,
    max_uses: u32,
    used: i64,
) -> Result<()> {
    let data = json!({
        "code": code,
        "order_id": spending.order.id,
        "customer_id": spending.customer_id,
        "max_uses": max_uses,
        "used": used,
    });
    announce(tx, spending.shop, spending.event_id, "coupon.overused", &data, spending.now_ms).await
}

/// A failed attempt at a job, and a job that is not tried again.
pub(super) async fn failure(tx: &mut Tx, failure: &Failure) -> Result<()> {
    let row = sqlx::query(
        "SELECT j.shop, j.plugin, j.hook, j.attempts, e.order_id, e.customer_id \
         FROM jobs j JOIN events e ON e.id = j.event_id WHERE j.id = $1",
    )
    .bind(&failure.job_id)
    .fetch_optional(tx.connection())
    .await?;
    let Some(row) = row else { return Ok(()) };
    let shop: String = row.try_get(0)?;
    let again = match &failure.next {
        Next::Again { run_after } => Some(*run_after),
        Next::Dead { .. } => None,
    };
    let (plugin, hook): (String, String) = (row.try_get(1)?, row.try_get(2)?);
    let attempts: i64 = row.try_get(3)?;
    let (order_id, customer_id): (Option<String>, Option<String>) = (row.try_get(4)?, row.try_get(5)?);
    let data = |reason: &str| {
        json!({
            "job_id": failure.job_id,
            "event_id": failure.event_id,
            "plugin": plugin,
            "hook": hook,
            "attempts": attempts,
            "order_id": order_id,
            "customer_id": customer_id,
            "reason": reason,
            "next_attempt": again.map(to_rfc3339),
        })
    };
    let failed = data(&failure.fault);
    announce(tx, &shop, &failure.event_id, "plugin.failed", &failed, failure.now_ms).await?;
    if let Next::Dead { reason } = &failure.next {
        announce(tx, &shop, &failure.event_id, "job.dead", &data(reason), failure.now_ms).await?;
    }
    Ok(())
}

/// An endpoint to which nothing is sent any more.
pub(super) async fn endpoint_off(
    tx: &mut Tx,
    shop: &str,
    endpoint: &str,
    reason: &str,
    failing_since: i64,
    now_ms: i64,
) -> Result<()> {
    let data = json!({
        "endpoint": endpoint,
        "reason": reason,
        "failing_since": to_rfc3339(failing_since),
    });
    announce(tx, shop, "", webhooks::DISABLED, &data, now_ms).await
}

async fn announce(
    tx: &mut Tx,
    shop: &str,
    event_id: &str,
    topic: &str,
    data: &Value,
    now_ms: i64,
) -> Result<()> {
    let notice = webhooks::NewWebhook {
        id: events::new_id("whk", now_ms),
        topic: topic.to_owned(),
        payload: data.to_string(),
    };
    // No plugin said it.
    webhooks::store(tx, shop, "", event_id, &notice, now_ms).await
}
