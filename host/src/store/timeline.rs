//! One history of an order or a customer, read from where each part of it is kept: events, promises,
//! messages, coupons, points, labels, timers, and jobs that went wrong. It names nobody: no contact detail
//! is in what it reads.

mod sources;

use serde::Serialize;
use sqlx::{AssertSqlSafe, Row as _};
use utoipa::ToSchema;

use self::sources::{SOURCES, Source};
use super::mark::Mark;
use super::{Result, Store, gate};
use crate::domain::{Arrival, CouponValue};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TimelineEntry {
    #[serde(with = "crate::domain::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    #[serde(flatten)]
    pub what: Happened,
}

/// What kinds of things happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Happened {
    /// The order was placed, and this was promised with it: `at` is the instant of placing.
    Quote {
        /// Id of the delivery option.
        option: String,
        title: String,
        /// Minor units.
        price: i64,
        currency: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        arrival: Option<Arrival>,
        /// Plugins that made it; empty: the shop's own fallback.
        plugins: Vec<String>,
    },
    /// An event came in.
    Event {
        event_id: String,
        /// E.g. `order-placed`; `timer` is a plugin's timer that fired.
        hook: String,
        /// `held` (too early: it waits for its elder), `open` (plugins work on it), `done`.
        state: String,
        /// It waited in vain for its elder, and was let in without.
        late: bool,
    },
    /// A cart holds a coupon.
    CouponReserved {
        code: String,
        cart_id: String,
        #[serde(with = "crate::domain::instant")]
        #[schema(value_type = String, format = DateTime)]
        until: i64,
    },
    /// The order came with a coupon.
    CouponUsed {
        code: String,
        /// Nothing was left of it: the sale stands.
        over_limit: bool,
    },
    /// A use, or a cart's hold, was given back.
    CouponReleased { code: String, reason: ReleaseReason },
    /// A job failed, and is tried again (`failed`), waits for a person (`dead`), or was dropped by one.
    Job {
        job_id: String,
        plugin: String,
        hook: String,
        /// `failed`, `dead`, `dropped`.
        state: String,
        attempts: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A plugin issued a coupon.
    CouponIssued {
        code: String,
        plugin: String,
        value: CouponValue,
        /// What sums of the coupon are in.
        currency: String,
        max_uses: u32,
        #[serde(skip_serializing_if = "Option::is_none", with = "crate::domain::instant::option")]
        #[schema(value_type = Option<String>, format = DateTime)]
        expires_at: Option<i64>,
    },
    /// Points of a reference were set to another total.
    Points { plugin: String, reference: String, total: i64, delta: i64 },
    /// A plugin labelled the order or the customer.
    Label {
        /// `order` or `customer`.
        on: String,
        key: String,
        value: String,
        plugin: String,
    },
    /// A timer was set and has not fired yet.
    Timer {
        plugin: String,
        key: String,
        #[serde(with = "crate::domain::instant")]
        #[schema(value_type = String, format = DateTime)]
        due_at: i64,
    },
    /// A message, at the instant of what became of it last.
    Message {
        message_id: String,
        plugin: String,
        template: String,
        /// `transactional`, `updates`, `marketing`.
        category: String,
        /// `waiting`, `handing`, `sent`, `dropped`; of what was sent and came back: `delivered`, `bounced`,
        /// `complained`.
        state: String,
        /// It is sent, or was sent, then.
        #[serde(with = "crate::domain::instant")]
        #[schema(value_type = String, format = DateTime)]
        due_at: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        channel: Option<String>,
        attempts: i64,
        /// Why it was dropped, or is tried again.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// Why a coupon is to be had again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseReason {
    /// The order was cancelled.
    OrderCancelled,
    /// The cart let go, or ordered without it.
    CartLetGo,
}

/// Whose history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimelineOf<'a> {
    Order(&'a str),
    /// With all of the customer's orders.
    Customer(&'a str),
}

/// A page of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelinePage {
    /// Newest first.
    pub entries: Vec<TimelineEntry>,
    /// There are more before it.
    pub next: Option<Mark>,
}

impl Store {
    /// `None`: nothing is known of such an order or customer.
    pub async fn timeline(
        &self,
        shop: &str,
        of: TimelineOf<'_>,
        before: Option<&Mark>,
        limit: usize,
    ) -> Result<Option<TimelinePage>> {
        let most = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let mut reads = self.inner.reads.acquire().await?;
        let mut found = Vec::new();
        for (rank, source) in SOURCES.iter().enumerate() {
            let Some(text) = statement(source, of) else { continue };
            let (at, id) = Mark::bounds(before, rank);
            let rows = sqlx::query(AssertSqlSafe(gate::around(text)))
                .bind(shop)
                .bind(of.id())
                .bind(at)
                .bind(id)
                .bind(most)
                .fetch_all(&mut *reads)
                .await?;
            for row in &rows {
                let mark = Mark { at: row.try_get(0)?, source: rank, id: row.try_get(1)? };
                let entry =
                    TimelineEntry { at: mark.at, order_id: row.try_get(2)?, what: (source.read)(row)? };
                found.push((mark, entry));
            }
        }
        drop(reads);
        if found.is_empty() && before.is_none() && !self.is_known(shop, of).await? {
            return Ok(None);
        }
        found.sort_by(|(one, _), (other, _)| other.cmp(one));
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|(mark, _)| mark.clone());
        Ok(Some(TimelinePage { entries: found.into_iter().map(|(_, entry)| entry).collect(), next }))
    }

    async fn is_known(&self, shop: &str, of: TimelineOf<'_>) -> Result<bool> {
        let text = match of {
            TimelineOf::Order(_) => "SELECT 1 FROM orders WHERE shop = $1 AND id = $2",
            TimelineOf::Customer(_) => "SELECT 1 FROM customers WHERE shop = $1 AND id = $2",
        };
        let row = sqlx::query(text).bind(shop).bind(of.id()).fetch_optional(&self.inner.reads).await?;
        Ok(row.is_some())
    }
}

impl<'a> TimelineOf<'a> {
    fn id(self) -> &'a str {
        match self {
            Self::Order(id) | Self::Customer(id) => id,
        }
    }
}

/// The newest rows of a source before a mark; `None`: it has none of these histories.
fn statement(source: &Source, of: TimelineOf<'_>) -> Option<String> {
    let Source { at, id, order, columns, from, .. } = source;
    let of = match of {
        TimelineOf::Order(_) => source.of_order,
        TimelineOf::Customer(_) => source.of_customer,
    }?;
    Some(format!(
        "SELECT {at}, {id}, {order}, {columns} FROM {from} WHERE {of} AND ({at} < $3 OR ({at} = $3 AND {id} < $4)) \
         ORDER BY 1 DESC, 2 DESC LIMIT $5"
    ))
}

#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    SOURCES
        .iter()
        .flat_map(|source| [TimelineOf::Order(""), TimelineOf::Customer("")].map(|of| statement(source, of)))
        .flatten()
        .collect()
}
