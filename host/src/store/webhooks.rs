//! The outbox to the shop's own systems: written with the event, handed over later.

use super::Result;
use super::outgoing::Origin;
use super::writer::Tx;

/// A notice for the subscribers of `topic`; its id is the key by which they tell a repetition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWebhook {
    pub id: String,
    pub topic: String,
    /// JSON.
    pub payload: String,
}

pub(super) async fn insert(tx: &mut Tx, origin: &Origin<'_>, new: &NewWebhook) -> Result<()> {
    sqlx::query(
        "INSERT INTO webhooks (id, shop, plugin, event_id, topic, payload, state, due_at, attempts, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, 0, $7)",
    )
    .bind(&new.id)
    .bind(origin.shop)
    .bind(origin.plugin)
    .bind(origin.event_id)
    .bind(&new.topic)
    .bind(&new.payload)
    .bind(origin.now_ms)
    .execute(tx.connection())
    .await?;
    Ok(())
}
