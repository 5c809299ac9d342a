//! Taking an event in: its name, its place in the order's sequence, and its jobs, in one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use sqlx::Row as _;

use super::entry::{self, Beside, Standing};
use super::writer::{Subject, Tx};
use super::{Result, Store, coupons, customers, events, orders, to_json};
use crate::domain::{CustomerInput, Event, Hook};
use crate::sabotage::{Sabotage, on};

/// Hook → plugins that are called.
pub type Subscribers = BTreeMap<Hook, Vec<String>>;

/// An event, checked and normalised, contact details taken out.
#[derive(Debug, Clone)]
pub struct Intake {
    pub shop: String,
    pub source: String,
    pub id: String,
    /// Hex.
    pub fingerprint: String,
    pub event_id: String,
    pub event: Event,
    /// The host's id and what the event says of the customer.
    pub customer: Option<(String, CustomerInput)>,
    pub locale: Option<String>,
    /// JSON of the verified quote.
    pub quote: Option<String>,
    /// The shop's currency: only totals in it can be summed up.
    pub currency: String,
    pub subscribers: Arc<Subscribers>,
    /// How long an event that is too early waits for its elder.
    pub hold_until: i64,
    pub now_ms: i64,
}

/// What became of an event at the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    New {
        /// It is too early and waits for its elder.
        held: bool,
        /// Codes of the order of which nothing was left: the sale stands.
        overused: Vec<String>,
    },
    Duplicate {
        event_id: String,
    },
    Conflict {
        event_id: String,
    },
}

impl Store {
    pub async fn take_in(&self, intake: Intake) -> Result<Taken> {
        self.write(intake, take_in).await
    }
}

fn take_in<'c>(tx: &'c mut Tx, intake: &'c Intake) -> BoxFuture<'c, Result<Taken>> {
    Box::pin(async move {
        let codes = match &intake.event {
            Event::OrderPlaced(placed) => {
                coupons::codes(tx, &intake.shop, &placed.order, intake.now_ms).await?
            }
            _ => Vec::new(),
        };
        let order = intake.event.order_id().map(|id| Subject::Order(&intake.shop, id));
        let customer = intake.customer.as_ref().map(|(id, _)| Subject::Customer(&intake.shop, id));
        let coupons = codes.iter().map(|code| Subject::Coupon(&intake.shop, code));
        tx.lock(order.into_iter().chain(customer).chain(coupons).collect()).await?;
        if let Some(known) = name(tx, intake).await? {
            return Ok(known);
        }
        let mut row = events::Row {
            id: intake.event_id.clone(),
            shop: intake.shop.clone(),
            hook: intake.event.hook().name().to_owned(),
            order_id: intake.event.order_id().map(str::to_owned),
            customer_id: intake.customer.as_ref().map(|(id, _)| id.clone()),
            locale: intake.locale.clone(),
            seq: 0,
            payload: to_json(&intake.event),
            late: false,
            received_at: intake.now_ms,
        };
        let beside = Beside { quote: intake.quote.as_deref(), currency: &intake.currency, codes: &codes };
        let standing = entry::enter(tx, &row, &intake.event, beside, intake.now_ms).await?;
        // What is said of the customer counts only with an event that does.
        if let (Some((id, input)), false) = (&intake.customer, matches!(standing, Standing::Placed)) {
            customers::upsert(tx, &intake.shop, id, input, intake.now_ms).await?;
        }
        match standing {
            Standing::Placed => placed_before(tx, intake).await,
            Standing::TooEarly => {
                events::insert(tx, &row, "held", Some(intake.hold_until)).await?;
                tx.touched.work = true;
                Ok(Taken::New { held: true, overused: Vec::new() })
            }
            Standing::Ready { seq, customer_id, locale, overused, awaited } => {
                row.seq = seq;
                row.customer_id = row.customer_id.or(customer_id);
                row.locale = row.locale.or(locale);
                events::open(tx, &row, &intake.subscribers, intake.now_ms, false).await?;
                if let (true, Some(order_id)) = (awaited, &row.order_id) {
                    events::release(tx, intake, order_id).await?;
                }
                Ok(Taken::New { held: false, overused })
            }
        }
    })
}

/// Takes the event's name; an event that has it already is the answer.
async fn name(tx: &mut Tx, intake: &Intake) -> Result<Option<Taken>> {
    let taken = sqlx::query(
        "INSERT INTO intake_keys (shop, source, id, fingerprint, event_id, at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT DO NOTHING",
    )
    .bind(&intake.shop)
    .bind(&intake.source)
    .bind(&intake.id)
    .bind(&intake.fingerprint)
    .bind(&intake.event_id)
    .bind(intake.now_ms)
    .execute(tx.connection())
    .await?;
    if taken.rows_affected() > 0 || on(Sabotage::NoDedup) {
        return Ok(None);
    }
    let known = sqlx::query(
        "SELECT fingerprint, event_id FROM intake_keys WHERE shop = $1 AND source = $2 AND id = $3",
    )
    .bind(&intake.shop)
    .bind(&intake.source)
    .bind(&intake.id)
    .fetch_one(tx.connection())
    .await?;
    let event_id = known.try_get(1)?;
    Ok(Some(if known.try_get::<String, _>(0)? == intake.fingerprint {
        Taken::Duplicate { event_id }
    } else {
        Taken::Conflict { event_id }
    }))
}

/// An order is placed once, whatever names its event comes under, and long after the first one's name and event
/// are forgotten: the order itself is what is compared.
async fn placed_before(tx: &mut Tx, intake: &Intake) -> Result<Taken> {
    let Event::OrderPlaced(again) = &intake.event else {
        return Ok(Taken::Duplicate { event_id: intake.event_id.clone() });
    };
    let Some(first) = orders::placed(tx, &intake.shop, &again.order.id).await? else {
        return Ok(Taken::Duplicate { event_id: intake.event_id.clone() });
    };
    let event_id = first.event_id;
    let same = first.payload == to_json(&again.order) && first.locale == intake.locale;
    // A conflict keeps no name: sent again, it is a conflict again.
    let name = if same {
        "UPDATE intake_keys SET event_id = $4 WHERE shop = $1 AND source = $2 AND id = $3"
    } else {
        "DELETE FROM intake_keys WHERE shop = $1 AND source = $2 AND id = $3 AND event_id <> $4"
    };
    sqlx::query(name)
        .bind(&intake.shop)
        .bind(&intake.source)
        .bind(&intake.id)
        .bind(&event_id)
        .execute(tx.connection())
        .await?;
    Ok(if same { Taken::Duplicate { event_id } } else { Taken::Conflict { event_id } })
}
