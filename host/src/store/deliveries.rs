//! The queue of deliveries: one endpoint's copies of notices, leased to one host at a time.

use futures::future::BoxFuture;
use sqlx::{AssertSqlSafe, Row as _, any::AnyRow};

use super::endpoints::{self, Outcome};
use super::writer::Tx;
use super::{Result, Store, heads};

/// An endpoint that is on, and has something to be told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lane {
    pub shop: String,
    pub endpoint: String,
    /// When its next delivery is due.
    pub due_at: i64,
}

/// A leased delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: String,
    pub shop: String,
    pub endpoint: String,
    /// Of the notice: the same for all endpoints and attempts.
    pub webhook_id: String,
    pub topic: String,
    /// JSON.
    pub payload: String,
    /// When what it tells of happened.
    pub happened_at: i64,
    /// Grows with each claim: what an older one came to counts for nothing.
    pub lease_token: i64,
    /// Failed ones.
    pub attempts: i64,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryFate {
    Done {
        status: u16,
    },
    Later {
        at_ms: i64,
        status: Option<u16>,
        reason: String,
    },
    /// Given up.
    Failed {
        status: Option<u16>,
        reason: String,
    },
    /// The endpoint wants to hear no more: it is switched off, and this waits like the rest.
    Gone {
        status: u16,
        reason: String,
    },
    /// Nothing was sent, for a fault of this side: no attempt is counted.
    Unsent {
        at_ms: i64,
        reason: String,
    },
}

/// The end of an attempt.
#[derive(Debug, Clone)]
pub struct Attempted {
    pub delivery: Delivery,
    pub fate: DeliveryFate,
    /// A hash of where it went and what signed it.
    pub address: String,
    /// An endpoint that has only failed since before then is switched off.
    pub off_before: i64,
    pub now_ms: i64,
}

/// What the end of an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    Kept,
    /// And its endpoint is switched off from now on.
    SwitchedOff,
    /// The delivery is another's by now: nothing was changed.
    Fenced,
}

struct Claim {
    /// Ids and the tokens that they had.
    candidates: Vec<(String, i64)>,
    now_ms: i64,
    lease_until: i64,
}

impl Store {
    /// The endpoints that are on and have something to be told, by shop and name.
    pub async fn lanes(&self) -> Result<Vec<Lane>> {
        let text = heads::DELIVERIES.heads(
            "SELECT shop, endpoint, due_at FROM head WHERE NOT EXISTS ( \
               SELECT 1 FROM webhook_endpoints e \
               WHERE e.shop = head.shop AND e.name = head.endpoint AND e.off_since IS NOT NULL) \
             ORDER BY shop, endpoint",
        );
        sqlx::query(AssertSqlSafe(text))
            .bind("")
            .bind("")
            .fetch_all(&self.inner.reads)
            .await?
            .iter()
            .map(|row| Ok(Lane { shop: row.try_get(0)?, endpoint: row.try_get(1)?, due_at: row.try_get(2)? }))
            .collect()
    }

    /// Leases due deliveries of one endpoint, and those whose courier did not come back.
    pub async fn claim_deliveries(
        &self,
        lane: &Lane,
        limit: usize,
        now_ms: i64,
        lease_until: i64,
    ) -> Result<Vec<Delivery>> {
        let candidates = sqlx::query(
            "SELECT id, lease_token FROM webhook_deliveries \
             WHERE shop = $1 AND endpoint = $2 AND state IN ('waiting', 'sending') AND due_at <= $3 \
             ORDER BY due_at, id LIMIT $4",
        )
        .bind(&lane.shop)
        .bind(&lane.endpoint)
        .bind(now_ms)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.inner.reads)
        .await?
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<Vec<_>>>()?;
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        self.write(Claim { candidates, now_ms, lease_until }, claim).await
    }

    pub async fn settle_delivery(&self, attempted: Attempted) -> Result<Settled> {
        self.write(attempted, settle).await
    }

    /// The delivery is due at once, and has all its attempts before it again. False when there is no such
    /// delivery, or it is under way.
    pub async fn retry_delivery(&self, shop: &str, id: &str, now_ms: i64) -> Result<bool> {
        self.write((shop.to_owned(), id.to_owned(), now_ms), retry).await
    }
}

fn claim<'c>(tx: &'c mut Tx, input: &'c Claim) -> BoxFuture<'c, Result<Vec<Delivery>>> {
    Box::pin(async move {
        let mut claimed = Vec::new();
        for (id, token) in &input.candidates {
            // Whoever is second finds another token.
            let mine = sqlx::query(
                "UPDATE webhook_deliveries \
                 SET state = 'sending', lease_token = lease_token + 1, due_at = $3, updated_at = $4 \
                 WHERE id = $1 AND lease_token = $2 AND state IN ('waiting', 'sending') AND due_at <= $4",
            )
            .bind(id)
            .bind(token)
            .bind(input.lease_until)
            .bind(input.now_ms)
            .execute(tx.connection())
            .await?
            .rows_affected();
            if mine > 0 {
                claimed.push(leased(tx, id).await?);
            }
        }
        Ok(claimed)
    })
}

async fn leased(tx: &mut Tx, id: &str) -> Result<Delivery> {
    let row: AnyRow = sqlx::query(
        "SELECT d.id, d.shop, d.endpoint, d.webhook_id, d.topic, w.payload, w.created_at, d.lease_token, \
           d.attempts \
         FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id WHERE d.id = $1",
    )
    .bind(id)
    .fetch_one(tx.connection())
    .await?;
    Ok(Delivery {
        id: row.try_get(0)?,
        shop: row.try_get(1)?,
        endpoint: row.try_get(2)?,
        webhook_id: row.try_get(3)?,
        topic: row.try_get(4)?,
        payload: row.try_get(5)?,
        happened_at: row.try_get(6)?,
        lease_token: row.try_get(7)?,
        attempts: row.try_get(8)?,
    })
}

fn settle<'c>(tx: &'c mut Tx, input: &'c Attempted) -> BoxFuture<'c, Result<Settled>> {
    Box::pin(async move {
        let Attempted { delivery, fate, now_ms, .. } = input;
        let (state, due_at, status, reason) = match fate {
            DeliveryFate::Done { status } => ("done", *now_ms, Some(*status), None),
            DeliveryFate::Later { at_ms, status, reason } => ("waiting", *at_ms, *status, Some(reason)),
            DeliveryFate::Failed { status, reason } => ("failed", *now_ms, *status, Some(reason)),
            DeliveryFate::Gone { status, reason } => ("waiting", *now_ms, Some(*status), Some(reason)),
            DeliveryFate::Unsent { at_ms, reason } => ("waiting", *at_ms, None, Some(reason)),
        };
        let counted = i64::from(!matches!(fate, DeliveryFate::Unsent { .. }));
        let mine = sqlx::query(
            "UPDATE webhook_deliveries SET state = $3, due_at = $4, status = $5, reason = $6, \
               attempts = attempts + $7, updated_at = $8 \
             WHERE id = $1 AND lease_token = $2 AND state = 'sending'",
        )
        .bind(&delivery.id)
        .bind(delivery.lease_token)
        .bind(state)
        .bind(due_at)
        .bind(status.map(i64::from))
        .bind(reason)
        .bind(counted)
        .bind(*now_ms)
        .execute(tx.connection())
        .await?
        .rows_affected();
        if mine == 0 {
            return Ok(Settled::Fenced);
        }
        let outcome = match fate {
            DeliveryFate::Done { .. } => Outcome::Success,
            DeliveryFate::Later { reason, .. } | DeliveryFate::Failed { reason, .. } => {
                Outcome::Failure { reason, off_before: input.off_before }
            }
            DeliveryFate::Gone { reason, .. } => Outcome::Gone { reason },
            DeliveryFate::Unsent { .. } => return Ok(Settled::Kept),
        };
        let off = endpoints::note(tx, delivery, &input.address, &outcome, *now_ms).await?;
        Ok(if off { Settled::SwitchedOff } else { Settled::Kept })
    })
}

fn retry<'c>(tx: &'c mut Tx, (shop, id, now_ms): &'c (String, String, i64)) -> BoxFuture<'c, Result<bool>> {
    Box::pin(async move {
        let waits = sqlx::query(
            "UPDATE webhook_deliveries SET state = 'waiting', due_at = $3, attempts = 0, updated_at = $3 \
             WHERE shop = $1 AND id = $2 AND state <> 'sending'",
        )
        .bind(shop)
        .bind(id)
        .bind(*now_ms)
        .execute(tx.connection())
        .await?
        .rows_affected();
        tx.touched.webhooks |= waits > 0;
        Ok(waits > 0)
    })
}
