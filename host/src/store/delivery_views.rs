//! Deliveries, for a person to read.

use serde::Serialize;
use sqlx::{Row as _, any::AnyRow};

use super::{Result, Store};

/// A delivery as `GET /v1/webhooks/deliveries` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DeliveryView {
    pub id: String,
    /// `webhook-id`: the same for all endpoints and attempts.
    pub webhook_id: String,
    pub endpoint: String,
    pub topic: String,
    /// `waiting`, `sending`, `done`, `failed` (given up).
    pub state: String,
    pub attempts: i64,
    /// HTTP status of the last answer.
    pub status: Option<i64>,
    /// Why the last attempt failed.
    pub reason: Option<String>,
    /// Not before; while the endpoint is off, not at all.
    #[serde(with = "crate::domain::instant::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_attempt: Option<i64>,
    #[serde(with = "crate::domain::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: i64,
    #[serde(with = "crate::domain::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: i64,
}

const COLUMNS: &str =
    "id, webhook_id, endpoint, topic, state, attempts, status, reason, due_at, created_at, updated_at";

impl Store {
    /// A shop's deliveries, newest first.
    pub async fn deliveries(
        &self,
        shop: &str,
        state: Option<&str>,
        topic: Option<&str>,
        limit: u32,
    ) -> Result<Vec<DeliveryView>> {
        let text = format!(
            "SELECT {COLUMNS} FROM webhook_deliveries \
             WHERE shop = $1 AND ($2 = '' OR state = $2) AND ($3 = '' OR topic = $3) \
             ORDER BY created_at DESC, id DESC LIMIT $4"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(shop)
            .bind(state.unwrap_or_default())
            .bind(topic.unwrap_or_default())
            .bind(i64::from(limit))
            .fetch_all(&self.inner.reads)
            .await?;
        rows.iter().map(view).collect()
    }

    pub async fn delivery(&self, shop: &str, id: &str) -> Result<Option<DeliveryView>> {
        let text = format!("SELECT {COLUMNS} FROM webhook_deliveries WHERE shop = $1 AND id = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(shop)
            .bind(id)
            .fetch_optional(&self.inner.reads)
            .await?;
        row.as_ref().map(view).transpose()
    }

    /// How many deliveries wait for each endpoint of a shop.
    pub async fn deliveries_open(&self, shop: &str) -> Result<Vec<(String, i64)>> {
        sqlx::query(
            "SELECT endpoint, COUNT(*) FROM webhook_deliveries \
             WHERE shop = $1 AND state IN ('waiting', 'sending') GROUP BY endpoint",
        )
        .bind(shop)
        .fetch_all(&self.inner.reads)
        .await?
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
    }
}

fn view(row: &AnyRow) -> Result<DeliveryView> {
    let state: String = row.try_get(4)?;
    let open = matches!(state.as_str(), "waiting" | "sending");
    let due_at: i64 = row.try_get(8)?;
    Ok(DeliveryView {
        id: row.try_get(0)?,
        webhook_id: row.try_get(1)?,
        endpoint: row.try_get(2)?,
        topic: row.try_get(3)?,
        state,
        attempts: row.try_get(5)?,
        status: row.try_get(6)?,
        reason: row.try_get(7)?,
        next_attempt: open.then_some(due_at),
        created_at: row.try_get(9)?,
        updated_at: row.try_get(10)?,
    })
}
