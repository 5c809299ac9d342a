//! Messages on their way in: what a call asks for, and what cancels it.

use sqlx::{Row as _, any::AnyRow};

use super::writer::Tx;
use super::{CONTRACT, Result, announce, to_json};
use crate::domain::Message;

/// A message as a call asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    pub id: String,
    pub message: Message,
    /// Handles of this call's coupons that it shows.
    pub coupons: Vec<u32>,
}

/// The call that a message belongs to.
pub(super) struct Origin<'a> {
    pub shop: &'a str,
    pub plugin: &'a str,
    pub event_id: &'a str,
    pub seq: i64,
    pub order_id: Option<&'a str>,
    pub customer_id: Option<&'a str>,
    pub locale: Option<&'a str>,
    pub now_ms: i64,
}

/// Messages of the order that wait and say that this hook cancels them.
pub(super) async fn cancel_on(
    tx: &mut Tx,
    shop: &str,
    order_id: &str,
    hook: &str,
    now_ms: i64,
) -> Result<()> {
    let dropped = sqlx::query(
        "UPDATE messages SET state = 'dropped', reason = $4, updated_at = $5 \
         WHERE shop = $1 AND order_id = $2 AND state = 'waiting' AND cancel_on LIKE $3 RETURNING id",
    )
    .bind(shop)
    .bind(order_id)
    .bind(format!("%|{hook}|%"))
    .bind(format!("cancelled: {hook} came before its time"))
    .bind(now_ms)
    .fetch_all(tx.connection())
    .await?;
    tell(tx, &dropped, now_ms).await
}

/// Messages of this plugin to this customer that wait under the key. The second look at a state names the index of
/// keys.
pub(super) async fn cancel(tx: &mut Tx, origin: &Origin<'_>, dedupe_key: &str) -> Result<()> {
    let dropped = sqlx::query(
        "UPDATE messages SET state = 'dropped', reason = 'cancelled by the plugin', updated_at = $5 \
         WHERE shop = $1 AND plugin = $2 AND COALESCE(customer_id, '') = $3 AND dedupe_key = $4 \
           AND state = 'waiting' AND state <> 'dropped' RETURNING id",
    )
    .bind(origin.shop)
    .bind(origin.plugin)
    .bind(origin.customer_id.unwrap_or_default())
    .bind(dedupe_key)
    .bind(origin.now_ms)
    .fetch_all(tx.connection())
    .await?;
    tell(tx, &dropped, origin.now_ms).await
}

/// Of messages that were dropped, by their ids.
async fn tell(tx: &mut Tx, dropped: &[AnyRow], now_ms: i64) -> Result<()> {
    for row in dropped {
        let id: String = row.try_get(0)?;
        announce::message(tx, &id, "dropped", now_ms).await?;
    }
    Ok(())
}

/// `coupons`: code by handle.
pub(super) async fn insert(
    tx: &mut Tx,
    origin: &Origin<'_>,
    new: &NewMessage,
    coupons: &std::collections::BTreeMap<u32, String>,
) -> Result<()> {
    let shown: std::collections::BTreeMap<_, _> =
        coupons.iter().filter(|(handle, _)| new.coupons.contains(handle)).collect();
    let shown = to_json(&shown);
    if let Some(reason) = reason_to_drop(tx, origin, &new.message).await? {
        insert_as(tx, origin, new, &shown, "dropped", Some(&reason)).await?;
        return announce::message(tx, &new.id, "dropped", origin.now_ms).await;
    }
    if insert_as(tx, origin, new, &shown, "waiting", None).await? == 0 {
        let reason = "not sent twice: an earlier message has the same dedupe key";
        insert_as(tx, origin, new, &shown, "dropped", Some(reason)).await?;
        return announce::message(tx, &new.id, "dropped", origin.now_ms).await;
    }
    tx.touched.mail = true;
    Ok(())
}

async fn reason_to_drop(tx: &mut Tx, origin: &Origin<'_>, message: &Message) -> Result<Option<String>> {
    if origin.customer_id.is_none() {
        return Ok(Some("nobody to send it to: the event names no customer".to_owned()));
    }
    // What cancels it may have come in while the call was under way.
    let Some(order_id) = origin.order_id else { return Ok(None) };
    for hook in &message.cancel_on {
        let came = sqlx::query(
            "SELECT 1 FROM events WHERE shop = $1 AND order_id = $2 AND seq > $3 AND hook = $4 LIMIT 1",
        )
        .bind(origin.shop)
        .bind(order_id)
        .bind(origin.seq)
        .bind(hook)
        .fetch_optional(tx.connection())
        .await?;
        if came.is_some() {
            return Ok(Some(format!("cancelled: {hook} came before its time")));
        }
    }
    Ok(None)
}

async fn insert_as(
    tx: &mut Tx,
    origin: &Origin<'_>,
    new: &NewMessage,
    coupons: &str,
    state: &str,
    reason: Option<&str>,
) -> Result<u64> {
    let message = &new.message;
    let cancel_on = if message.cancel_on.is_empty() {
        String::new()
    } else {
        format!("|{}|", message.cancel_on.join("|"))
    };
    let inserted = sqlx::query(
        "INSERT INTO messages (id, shop, plugin, event_id, order_id, customer_id, payload, contract, locale, \
           coupons, dedupe_key, cancel_on, state, due_at, attempts, reason, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, $15, $16, $16) \
         ON CONFLICT DO NOTHING",
    )
    .bind(&new.id)
    .bind(origin.shop)
    .bind(origin.plugin)
    .bind(origin.event_id)
    .bind(origin.order_id)
    .bind(origin.customer_id)
    .bind(to_json(message))
    .bind(CONTRACT)
    .bind(origin.locale)
    .bind(coupons)
    .bind(message.dedupe_key.as_deref())
    .bind(cancel_on)
    .bind(state)
    .bind(message.when.unwrap_or(origin.now_ms))
    .bind(reason)
    .bind(origin.now_ms)
    .execute(tx.connection())
    .await?;
    Ok(inserted.rows_affected())
}
