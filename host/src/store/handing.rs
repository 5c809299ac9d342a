//! The hand-over of a message: whose turn it is, whether it may go, and what became of it.

use std::sync::Arc;

use futures::future::BoxFuture;
use sqlx::{Row as _, any::AnyRow};

use super::suppressions::{self, Suppression};
use super::unsubscribing::{self, UnsubscribeLink};
use super::writer::{Subject, Tx};
use super::{MessageFate, Result, Store, StoredMessage, announce, customers, from_json, gate, heads};
use crate::domain::{Cause, Consent};

/// Days whose counts are kept.
const DAYS_KEPT: i64 = 40;

const COLUMNS: &str = "id, shop, plugin, event_id, order_id, customer_id, payload, locale, coupons, created_at, \
     attempts";

/// What is known, in the transaction of the hand-over, of whom a message is for.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Standing {
    pub email: Option<String>,
    pub consents: Vec<Consent>,
    /// Why the address is to get no mail.
    pub suppressed: Vec<Cause>,
    /// Messages of the shop that were handed over today; `None` when this one is counted among them already.
    pub handed_today: Option<i64>,
}

/// What becomes of a message. Reasons are for a person to read, and name nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// By this channel.
    Send(&'static str),
    Drop(String),
    /// The shop's messages of the day are used up.
    Tomorrow(String),
    /// What it needs is not there.
    Later {
        at_ms: i64,
        reason: String,
    },
}

/// A day of the shop's zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// E.g. `2026-11-28`.
    pub date: String,
    /// When the next one begins, UTC milliseconds.
    pub next_ms: i64,
}

/// Looks at what the transaction read. Pure: the transaction may run twice.
pub type Judge = Arc<dyn Fn(&Standing) -> Ruling + Send + Sync>;

/// A message that is ready to go, if it still may.
pub struct HandOver {
    pub id: String,
    pub shop: String,
    pub customer_id: Option<String>,
    pub judge: Judge,
    /// In whose allowance it is counted.
    pub day: Option<Day>,
    /// What its unsubscribe link stands for.
    pub link: Option<UnsubscribeLink>,
    pub now_ms: i64,
    /// It is its courier's until then; after a crash another's.
    pub until_ms: i64,
}

/// The outcome of a hand-over.
#[derive(Clone, PartialEq, Eq)]
pub enum Handed {
    /// It is the caller's: to be carried to this address by this channel, and settled with this token.
    Go { token: i64, channel: &'static str, email: String },
    /// It does not go out, and that is written down.
    Ruled(MessageFate),
    /// The same, because the day's messages are used up; `first`: nobody was told of that today.
    Capped { fate: MessageFate, first: bool },
    /// It no longer waits, or is another courier's.
    Taken,
}

struct Settle {
    id: String,
    token: i64,
    fate: MessageFate,
    now_ms: i64,
}

impl Store {
    /// Waiting messages whose time has come, and those that a crash left in `handing`: of each shop not more
    /// than `per_shop`, shops in rotation, beginning behind `after`. Gives the shop that was served last too.
    pub async fn messages_due(
        &self,
        after: &str,
        per_shop: usize,
        limit: usize,
        now_ms: i64,
    ) -> Result<(Vec<StoredMessage>, String)> {
        let mut due = Vec::new();
        let mut cursor = after.to_owned();
        let mut wrapped = false;
        while due.len() < limit {
            let next = self.next_shop(&cursor, now_ms).await?;
            let Some(shop) = next.filter(|shop| !wrapped || shop.as_str() <= after) else {
                if wrapped || after.is_empty() {
                    break;
                }
                wrapped = true;
                cursor = String::new();
                continue;
            };
            due.extend(self.messages_of(&shop, per_shop.min(limit.saturating_sub(due.len())), now_ms).await?);
            cursor = shop;
        }
        Ok((due, cursor))
    }

    async fn next_shop(&self, after: &str, now_ms: i64) -> Result<Option<String>> {
        let text = heads::MESSAGES.heads("SELECT shop FROM head WHERE due_at <= $2 LIMIT 1");
        let row = sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(after)
            .bind(now_ms)
            .fetch_optional(&self.inner.reads)
            .await?;
        row.map(|row| Ok(row.try_get(0)?)).transpose()
    }

    async fn messages_of(&self, shop: &str, limit: usize, now_ms: i64) -> Result<Vec<StoredMessage>> {
        let text = format!(
            "SELECT {COLUMNS} FROM messages WHERE shop = $1 AND state IN ('waiting', 'handing') AND due_at <= $2 \
             ORDER BY due_at, id LIMIT $3"
        );
        sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(shop)
            .bind(now_ms)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.inner.reads)
            .await?
            .iter()
            .map(stored)
            .collect()
    }

    /// The instant of the next waiting message.
    pub async fn next_message(&self) -> Result<Option<i64>> {
        let row = sqlx::query("SELECT MIN(due_at + 0) FROM messages WHERE state IN ('waiting', 'handing')")
            .fetch_one(&self.inner.reads)
            .await?;
        Ok(row.try_get(0)?)
    }

    /// Takes the message and judges it by what is true now: nothing that says otherwise can come between.
    pub async fn hand_over(&self, hand_over: HandOver) -> Result<Handed> {
        let me = (self.address_key(), self.inner.host.clone());
        self.write((me, hand_over), |tx, (me, input)| Box::pin(hand_over_in(tx, me, input))).await
    }

    /// Writes down what became of it; false when it is another courier's by now.
    pub async fn settle_message(
        &self,
        id: &str,
        token: i64,
        fate: &MessageFate,
        now_ms: i64,
    ) -> Result<bool> {
        self.write(Settle { id: id.to_owned(), token, fate: fate.clone(), now_ms }, settle).await
    }

    /// A shop may send more today than when its allowance was used up: what waits for tomorrow is due again.
    /// `daily_messages`: as it is now, 0 for no limit.
    pub async fn lift_cap(&self, shop: &str, day: &Day, daily_messages: u32, now_ms: i64) -> Result<()> {
        let capped = self.handed_on(shop, &day.date).await?;
        if !matches!(capped, (handed, true) if daily_messages == 0 || handed < i64::from(daily_messages)) {
            return Ok(());
        }
        self.write((shop.to_owned(), day.date.clone(), now_ms), lift).await
    }

    /// Messages of a shop that were handed over on a day, and whether its cap was reached.
    pub async fn handed_on(&self, shop: &str, day: &str) -> Result<(i64, bool)> {
        let row = sqlx::query("SELECT handed, capped_at FROM mail_days WHERE shop = $1 AND day = $2")
            .bind(shop)
            .bind(day)
            .fetch_optional(&self.inner.reads)
            .await?;
        row.map_or(Ok((0, false)), |row| Ok((row.try_get(0)?, row.try_get::<Option<i64>, _>(1)?.is_some())))
    }
}

fn lift<'c>(tx: &'c mut Tx, (shop, day, now_ms): &'c (String, String, i64)) -> BoxFuture<'c, Result<()>> {
    Box::pin(async move {
        for text in [
            "UPDATE mail_days SET capped_at = NULL WHERE shop = $1 AND day = $2 AND $3 > 0",
            "UPDATE messages SET due_at = $3, capped_on = NULL \
             WHERE shop = $1 AND capped_on = $2 AND state = 'waiting'",
        ] {
            sqlx::query(text).bind(shop).bind(day).bind(*now_ms).execute(tx.connection()).await?;
        }
        tx.touched.mail = true;
        Ok(())
    })
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

async fn hand_over_in(tx: &mut Tx, (key, host): &([u8; 32], String), input: &HandOver) -> Result<Handed> {
    let HandOver { id, shop, customer_id, now_ms, .. } = input;
    tx.lock(customer_id.iter().map(|id| Subject::Customer(shop, id)).collect()).await?;
    let row = sqlx::query(
        "UPDATE messages SET state = 'handing', hand_token = hand_token + 1, due_at = $2, updated_at = $3, \
           host = $4 \
         WHERE id = $1 AND (state = 'waiting' OR (state = 'handing' AND due_at <= $3)) \
         RETURNING hand_token, counted_on",
    )
    .bind(id)
    .bind(input.until_ms)
    .bind(now_ms)
    .bind(host)
    .fetch_optional(tx.connection())
    .await?;
    let Some(row) = row else { return Ok(Handed::Taken) };
    let token: i64 = row.try_get(0)?;
    let counted: Option<String> = row.try_get(1)?;
    let known = match customer_id {
        Some(customer) => customers::read(&mut *tx.connection(), shop, customer).await?,
        None => None,
    };
    let mut standing = Standing::default();
    if let Some(known) = known {
        standing.email = known.contact.email;
        standing.consents.clone_from(&known.customer.consents);
    }
    let address = standing.email.as_deref().map(|email| suppressions::keyed(key, shop, email));
    if let Some(address) = &address {
        standing.suppressed = suppressions::causes(tx, shop, address).await?;
    }
    let day = input.day.as_ref().filter(|day| counted.as_ref() != Some(&day.date));
    if let Some(day) = day {
        standing.handed_today = Some(handed(tx, shop, day).await?);
    }
    let settle = |fate: MessageFate| Settle { id: id.clone(), token, fate, now_ms: *now_ms };
    match ((input.judge)(&standing), standing.email) {
        (Ruling::Send(channel), Some(email)) => {
            if let Some(day) = day {
                count(tx, input, day).await?;
            }
            if let Some(link) = &input.link {
                unsubscribing::keep(tx, link, *now_ms).await?;
            }
            sqlx::query("UPDATE messages SET address = $2 WHERE id = $1")
                .bind(id)
                .bind(address)
                .execute(tx.connection())
                .await?;
            Ok(Handed::Go { token, channel, email })
        }
        (Ruling::Send(_), None) => {
            let fate = MessageFate::Dropped { reason: "no recipient".to_owned() };
            write_down(tx, &settle(fate.clone())).await?;
            Ok(Handed::Ruled(fate))
        }
        (Ruling::Drop(reason), _) => {
            let fate = MessageFate::Dropped { reason };
            write_down(tx, &settle(fate.clone())).await?;
            Ok(Handed::Ruled(fate))
        }
        (Ruling::Later { at_ms, reason }, _) => {
            let fate = MessageFate::Later { at_ms, reason };
            write_down(tx, &settle(fate.clone())).await?;
            Ok(Handed::Ruled(fate))
        }
        (Ruling::Tomorrow(reason), _) => {
            let at_ms = input.day.as_ref().map_or(*now_ms, |day| day.next_ms);
            wait_for_tomorrow(tx, input, at_ms, &reason).await?;
            let first = match &input.day {
                Some(day) => first_of_the_day(tx, input, day).await?,
                None => false,
            };
            Ok(Handed::Capped { fate: MessageFate::Later { at_ms, reason }, first })
        }
    }
}

/// Messages of the day so far. The row is this transaction's until it ends.
async fn handed(tx: &mut Tx, shop: &str, day: &Day) -> Result<i64> {
    let row = sqlx::query(
        "INSERT INTO mail_days (shop, day, handed) VALUES ($1, $2, 0) \
         ON CONFLICT (shop, day) DO UPDATE SET handed = mail_days.handed RETURNING handed",
    )
    .bind(shop)
    .bind(&day.date)
    .fetch_one(tx.connection())
    .await?;
    Ok(row.try_get(0)?)
}

/// Once a day for each message, however often it is tried.
async fn count(tx: &mut Tx, input: &HandOver, day: &Day) -> Result<()> {
    sqlx::query("UPDATE messages SET counted_on = $2 WHERE id = $1")
        .bind(&input.id)
        .bind(&day.date)
        .execute(tx.connection())
        .await?;
    let row =
        sqlx::query("UPDATE mail_days SET handed = handed + 1 WHERE shop = $1 AND day = $2 RETURNING handed")
            .bind(&input.shop)
            .bind(&day.date)
            .fetch_one(tx.connection())
            .await?;
    if row.try_get::<i64, _>(0)? == 1 {
        let old = jiff::Timestamp::from_millisecond(input.now_ms.saturating_sub(DAYS_KEPT * 86_400_000));
        let old = old.map(|old| old.strftime("%Y-%m-%d").to_string()).unwrap_or_default();
        sqlx::query("DELETE FROM mail_days WHERE shop = $1 AND day < $2")
            .bind(&input.shop)
            .bind(old)
            .execute(tx.connection())
            .await?;
    }
    Ok(())
}

/// It was not tried: no attempt is charged.
async fn wait_for_tomorrow(tx: &mut Tx, input: &HandOver, at_ms: i64, reason: &str) -> Result<()> {
    sqlx::query(
        "UPDATE messages SET state = 'waiting', due_at = $2, reason = $3, updated_at = $4, capped_on = $5 \
         WHERE id = $1",
    )
    .bind(&input.id)
    .bind(at_ms)
    .bind(reason)
    .bind(input.now_ms)
    .bind(input.day.as_ref().map(|day| day.date.as_str()))
    .execute(tx.connection())
    .await?;
    tx.touched.mail = true;
    Ok(())
}

async fn first_of_the_day(tx: &mut Tx, input: &HandOver, day: &Day) -> Result<bool> {
    let marked =
        sqlx::query("UPDATE mail_days SET capped_at = $3 WHERE shop = $1 AND day = $2 AND capped_at IS NULL")
            .bind(&input.shop)
            .bind(&day.date)
            .bind(input.now_ms)
            .execute(tx.connection())
            .await?;
    Ok(marked.rows_affected() > 0)
}

fn settle<'c>(tx: &'c mut Tx, input: &'c Settle) -> BoxFuture<'c, Result<bool>> {
    Box::pin(write_down(tx, input))
}

/// False when the message was taken by another since.
async fn write_down(tx: &mut Tx, input: &Settle) -> Result<bool> {
    let (state, due_at, channel, message_id, reason) = match &input.fate {
        MessageFate::Sent { channel, message_id } => {
            ("sent", input.now_ms, Some(channel.as_str()), Some(message_id.as_str()), None)
        }
        MessageFate::Dropped { reason } | MessageFate::NoMailbox { reason } => {
            ("dropped", input.now_ms, None, None, Some(reason.as_str()))
        }
        MessageFate::Later { at_ms, reason } => ("waiting", *at_ms, None, None, Some(reason.as_str())),
    };
    let row = sqlx::query(
        "UPDATE messages SET state = $2, due_at = $3, channel = $4, message_id = $5, reason = $6, \
           attempts = attempts + 1, updated_at = $7 \
         WHERE id = $1 AND state = 'handing' AND hand_token = $8 RETURNING shop, address",
    )
    .bind(&input.id)
    .bind(state)
    .bind(due_at)
    .bind(channel)
    .bind(message_id)
    .bind(reason)
    .bind(input.now_ms)
    .bind(input.token)
    .fetch_optional(tx.connection())
    .await?;
    let Some(row) = row else { return Ok(false) };
    tx.touched.mail |= state == "waiting";
    if let MessageFate::NoMailbox { reason } = &input.fate
        && let Some(address) = row.try_get::<Option<String>, _>(1)?
    {
        let shop: String = row.try_get(0)?;
        let suppression = Suppression {
            cause: Cause::Bounce,
            detail: reason.clone(),
            message_id: Some(input.id.clone()),
            at: input.now_ms,
        };
        suppressions::add(tx, &shop, &address, &suppression).await?;
    }
    announce::message(tx, &input.id, state, input.now_ms).await?;
    Ok(true)
}

/// What a crash left half handed over is due at once. Only where no other host can be handing it.
pub(super) async fn take_back(connection: &mut sqlx::AnyConnection) -> Result<()> {
    sqlx::query(gate::around("UPDATE messages SET due_at = 0 WHERE state = 'handing'"))
        .execute(connection)
        .await?;
    Ok(())
}
