//! Messages, for people to see what became of them.

use sqlx::{AssertSqlSafe, Row as _};

use super::{Result, Store, from_json};
use crate::domain::Message;

/// A message with its standing, for a person to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageView {
    pub id: String,
    pub plugin: String,
    pub template: String,
    pub category: String,
    pub order_id: Option<String>,
    /// `waiting`, `handing`, `sent`, `dropped`; of what was sent and came back: `delivered`, `bounced`,
    /// `complained`.
    pub state: String,
    pub due_at: i64,
    pub attempts: i64,
    pub channel: Option<String>,
    pub message_id: Option<String>,
    /// Why it was dropped, or is tried again.
    pub reason: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
}

impl Store {
    /// A shop's messages, newest first; of one order when it is given.
    pub async fn messages(&self, shop: &str, order_id: Option<&str>, limit: u32) -> Result<Vec<MessageView>> {
        // `+ 0`: the few of an order are found by it and then sorted, not looked for among all in their order.
        let (of, newest) = match order_id {
            Some(_) => ("shop = $1 AND order_id = $2", "created_at + 0 DESC, id DESC"),
            None => ("shop = $1 AND $2 = ''", "created_at DESC, id DESC"),
        };
        let text = format!(
            "SELECT id, plugin, payload, order_id, state, due_at, attempts, channel, message_id, reason, \
               created_at, updated_at \
             FROM messages WHERE {of} ORDER BY {newest} LIMIT $3"
        );
        sqlx::query(AssertSqlSafe(text))
            .bind(shop)
            .bind(order_id.unwrap_or_default())
            .bind(i64::from(limit))
            .fetch_all(&self.inner.reads)
            .await?
            .iter()
            .map(|row| {
                let message: Message = from_json("message", row.try_get(2)?)?;
                Ok(MessageView {
                    id: row.try_get(0)?,
                    plugin: row.try_get(1)?,
                    template: message.template,
                    category: message.category,
                    order_id: row.try_get(3)?,
                    state: row.try_get(4)?,
                    due_at: row.try_get(5)?,
                    attempts: row.try_get(6)?,
                    channel: row.try_get(7)?,
                    message_id: row.try_get(8)?,
                    reason: row.try_get(9)?,
                    created_at: row.try_get(10)?,
                    updated_at: row.try_get(11)?,
                })
            })
            .collect()
    }
}
