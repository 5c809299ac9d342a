//! Messages that wait for their time, and what became of them.

use futures::future::BoxFuture;
use sqlx::{Row as _, any::AnyRow};

use super::writer::Tx;
use super::{MessageFate, Result, Store, StoredMessage, announce, from_json};
use crate::domain::Message;

/// A message that is being handed over belongs to its courier so long, ms.
const HANDING_MS: i64 = 5 * 60_000;

const COLUMNS: &str = "id, shop, plugin, event_id, order_id, customer_id, payload, locale, coupons, created_at, \
     attempts";

/// A message with its standing, for a person to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageView {
    pub id: String,
    pub plugin: String,
    pub template: String,
    pub category: String,
    pub order_id: Option<String>,
    /// `waiting`, `handing`, `sent`, `dropped`.
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

struct Hand {
    id: String,
    now_ms: i64,
}

struct Settle {
    id: String,
    fate: MessageFate,
    now_ms: i64,
}

impl Store {
    /// Waiting messages whose time has come, and those that a crash left in `handing`.
    pub async fn messages_due(&self, now_ms: i64, limit: u32) -> Result<Vec<StoredMessage>> {
        let text = format!(
            "SELECT {COLUMNS} FROM messages WHERE state IN ('waiting', 'handing') AND due_at <= $1 \
             ORDER BY due_at, id LIMIT $2"
        );
        sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(now_ms)
            .bind(i64::from(limit))
            .fetch_all(&self.inner.reads)
            .await?
            .iter()
            .map(stored)
            .collect()
    }

    /// The instant of the next waiting message.
    pub async fn next_message(&self) -> Result<Option<i64>> {
        let row = sqlx::query("SELECT MIN(due_at) FROM messages WHERE state IN ('waiting', 'handing')")
            .fetch_one(&self.inner.reads)
            .await?;
        Ok(row.try_get(0)?)
    }

    /// Marks it `handing`; false when it no longer waits.
    pub async fn hand_message(&self, id: &str, now_ms: i64) -> Result<bool> {
        self.write(Hand { id: id.to_owned(), now_ms }, hand).await
    }

    pub async fn settle_message(&self, id: &str, fate: &MessageFate, now_ms: i64) -> Result<()> {
        self.write(Settle { id: id.to_owned(), fate: fate.clone(), now_ms }, settle).await
    }

    /// A shop's messages, newest first; of one order when it is given.
    pub async fn messages(&self, shop: &str, order_id: Option<&str>, limit: u32) -> Result<Vec<MessageView>> {
        sqlx::query(
            "SELECT id, plugin, payload, order_id, state, due_at, attempts, channel, message_id, reason, \
               created_at, updated_at \
             FROM messages WHERE shop = $1 AND ($2 = '' OR order_id = $2) \
             ORDER BY created_at DESC, id DESC LIMIT $3",
        )
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

fn stored(row: &AnyRow) -> Result<StoredMessage> {
    Ok(StoredMessage {
        id: row.try_get(0)?,
        shop: row.try_get(1)?,
        plugin: row.try_get(2)?,
        event_id: row.try_get(3)?,
        order_id: row.try_get(4)?,
        customer_id: row.try_get(5)?,
        message: from_json("message", row.try_get(6)?)?,
        locale: row.try_get(7)?,
        coupons: from_json("coupons of a message", row.try_get(8)?)?,
        created_at: row.try_get(9)?,
        attempts: u32::try_from(row.try_get::<i64, _>(10)?).unwrap_or(u32::MAX),
    })
}

fn hand<'c>(tx: &'c mut Tx, input: &'c Hand) -> BoxFuture<'c, Result<bool>> {
    Box::pin(async move {
        let changed = sqlx::query(
            "UPDATE messages SET state = 'handing', due_at = $2, updated_at = $3 \
             WHERE id = $1 AND (state = 'waiting' OR (state = 'handing' AND due_at <= $3))",
        )
        .bind(&input.id)
        .bind(input.now_ms.saturating_add(HANDING_MS))
        .bind(input.now_ms)
        .execute(tx.connection())
        .await?
        .rows_affected();
        Ok(changed > 0)
    })
}

fn settle<'c>(tx: &'c mut Tx, input: &'c Settle) -> BoxFuture<'c, Result<()>> {
    Box::pin(async move {
        let (state, due_at, channel, message_id, reason) = match &input.fate {
            MessageFate::Sent { channel, message_id } => {
                ("sent", input.now_ms, Some(channel.as_str()), Some(message_id.as_str()), None)
            }
            MessageFate::Dropped { reason } => ("dropped", input.now_ms, None, None, Some(reason.as_str())),
            MessageFate::Later { at_ms, reason } => ("waiting", *at_ms, None, None, Some(reason.as_str())),
        };
        let changed = sqlx::query(
            "UPDATE messages SET state = $2, due_at = $3, channel = $4, message_id = $5, reason = $6, \
               attempts = attempts + 1, updated_at = $7 \
             WHERE id = $1 AND state IN ('waiting', 'handing')",
        )
        .bind(&input.id)
        .bind(state)
        .bind(due_at)
        .bind(channel)
        .bind(message_id)
        .bind(reason)
        .bind(input.now_ms)
        .execute(tx.connection())
        .await?
        .rows_affected();
        tx.touched.mail |= state == "waiting";
        if changed > 0 { announce::message(tx, &input.id, state, input.now_ms).await } else { Ok(()) }
    })
}

/// What a crash left half handed over is due at once. Only where no other host can be handing it.
pub(super) async fn take_back(connection: &mut sqlx::AnyConnection) -> Result<()> {
    sqlx::query("UPDATE messages SET due_at = 0 WHERE state = 'handing'").execute(connection).await?;
    Ok(())
}
