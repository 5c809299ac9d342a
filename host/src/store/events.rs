//! Taking an event in: its name, its place in the order's sequence, and its jobs, in one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use sqlx::Row as _;

use super::writer::Tx;
use super::{CONTRACT, Result, Store, coupons, customers, from_json, jobs, messages, orders, to_json};
use crate::domain::{CustomerInput, Event, Hook};

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
    New { held: bool },
    Duplicate { event_id: String },
    Conflict { event_id: String },
}

/// An event as its jobs need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub id: String,
    pub shop: String,
    pub hook: String,
    pub order_id: Option<String>,
    pub customer_id: Option<String>,
    pub locale: Option<String>,
    pub seq: i64,
    /// JSON of [`Event`], or of [`crate::domain::DueTimer`] for the hook `timer`.
    pub payload: String,
    pub late: bool,
    pub received_at: i64,
}

struct Late {
    shop: String,
    currency: String,
    subscribers: Arc<Subscribers>,
    now_ms: i64,
}

/// Where an event stands when it comes.
enum Standing {
    Ready {
        seq: i64,
        customer_id: Option<String>,
        locale: Option<String>,
    },
    TooEarly,
    /// The order had been placed already.
    Placed,
}

impl Store {
    pub async fn take_in(&self, intake: Intake) -> Result<Taken> {
        self.write(intake, take_in).await
    }

    pub async fn event(&self, id: &str) -> Result<Option<Row>> {
        let row = sqlx::query(
            "SELECT id, shop, hook, order_id, customer_id, locale, seq, payload, late, received_at \
             FROM events WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&self.inner.reads)
        .await?;
        row.as_ref().map(read).transpose()
    }

    /// Shops with held events that have waited long enough.
    pub async fn shops_with_late_events(&self, now_ms: i64) -> Result<Vec<String>> {
        sqlx::query("SELECT DISTINCT shop FROM events WHERE state = 'held' AND hold_until <= $1")
            .bind(now_ms)
            .fetch_all(&self.inner.reads)
            .await?
            .iter()
            .map(|row| Ok(row.try_get(0)?))
            .collect()
    }

    /// Gives the shop's held events that have waited long enough their jobs, marked late.
    pub async fn release_late(
        &self,
        shop: &str,
        currency: &str,
        subscribers: Arc<Subscribers>,
        now_ms: i64,
    ) -> Result<()> {
        let late = Late { shop: shop.to_owned(), currency: currency.to_owned(), subscribers, now_ms };
        self.write(late, release_late).await
    }
}

/// Unique, and in the order of the host's clock.
pub fn new_id(prefix: &str, now_ms: i64) -> String {
    let milliseconds = u64::try_from(now_ms).unwrap_or_default();
    let nanoseconds = u32::try_from(milliseconds % 1_000).unwrap_or_default() * 1_000_000;
    let timestamp = uuid::Timestamp::from_unix(uuid::NoContext, milliseconds / 1_000, nanoseconds);
    format!("{prefix}_{}", uuid::Uuid::new_v7(timestamp).simple())
}

fn read(row: &sqlx::any::AnyRow) -> Result<Row> {
    Ok(Row {
        id: row.try_get(0)?,
        shop: row.try_get(1)?,
        hook: row.try_get(2)?,
        order_id: row.try_get(3)?,
        customer_id: row.try_get(4)?,
        locale: row.try_get(5)?,
        seq: row.try_get(6)?,
        payload: row.try_get(7)?,
        late: row.try_get::<i64, _>(8)? != 0,
        received_at: row.try_get(9)?,
    })
}

fn take_in<'c>(tx: &'c mut Tx, intake: &'c Intake) -> BoxFuture<'c, Result<Taken>> {
    Box::pin(async move {
        if let Some(known) = name(tx, intake).await? {
            return Ok(known);
        }
        if let Some((id, input)) = &intake.customer {
            customers::upsert(tx, &intake.shop, id, input, intake.now_ms).await?;
        }
        let mut row = Row {
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
        let standing =
            enter(tx, &row, &intake.event, intake.quote.as_deref(), &intake.currency, intake.now_ms).await?;
        match standing {
            Standing::Placed => placed_before(tx, intake, &row.payload).await,
            Standing::TooEarly => {
                insert(tx, &row, "held", Some(intake.hold_until)).await?;
                tx.touched.work = true;
                Ok(Taken::New { held: true })
            }
            Standing::Ready { seq, customer_id, locale } => {
                row.seq = seq;
                row.customer_id = row.customer_id.or(customer_id);
                row.locale = row.locale.or(locale);
                open(tx, &row, &intake.subscribers, intake.now_ms, false).await?;
                if let (Event::OrderPlaced(_) | Event::OrderShipped(_), Some(order_id)) =
                    (&intake.event, &row.order_id)
                {
                    release(tx, intake, order_id).await?;
                }
                Ok(Taken::New { held: false })
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
    .execute(&mut tx.connection)
    .await?;
    if taken.rows_affected() > 0 {
        return Ok(None);
    }
    let known = sqlx::query(
        "SELECT fingerprint, event_id FROM intake_keys WHERE shop = $1 AND source = $2 AND id = $3",
    )
    .bind(&intake.shop)
    .bind(&intake.source)
    .bind(&intake.id)
    .fetch_one(&mut tx.connection)
    .await?;
    let event_id = known.try_get(1)?;
    Ok(Some(if known.try_get::<String, _>(0)? == intake.fingerprint {
        Taken::Duplicate { event_id }
    } else {
        Taken::Conflict { event_id }
    }))
}

/// An order is placed once, whatever names its event comes under.
async fn placed_before(tx: &mut Tx, intake: &Intake, payload: &str) -> Result<Taken> {
    let order_id = intake.event.order_id().unwrap_or_default();
    let Some((event_id, first)) = orders::placed(tx, &intake.shop, order_id).await? else {
        return Ok(Taken::Duplicate { event_id: intake.event_id.clone() });
    };
    sqlx::query("UPDATE intake_keys SET event_id = $4 WHERE shop = $1 AND source = $2 AND id = $3")
        .bind(&intake.shop)
        .bind(&intake.source)
        .bind(&intake.id)
        .bind(&event_id)
        .execute(&mut tx.connection)
        .await?;
    Ok(if first == payload { Taken::Duplicate { event_id } } else { Taken::Conflict { event_id } })
}

/// Gives the event its place, and changes the order and its shipments as it says.
async fn enter(
    tx: &mut Tx,
    row: &Row,
    event: &Event,
    quote: Option<&str>,
    currency: &str,
    now_ms: i64,
) -> Result<Standing> {
    let shop = row.shop.as_str();
    if let Event::OrderPlaced(placed) = event {
        let order = &placed.order;
        let new = orders::NewOrder {
            shop,
            order,
            customer_id: row.customer_id.as_deref(),
            locale: row.locale.as_deref(),
            quote,
            spent: if order.currency == currency { order.total } else { 0 },
            event_id: &row.id,
            now_ms,
        };
        let Some(seq) = orders::place(tx, &new).await? else { return Ok(Standing::Placed) };
        coupons::spend(tx, shop, &order.id, &order.codes, now_ms).await?;
        return Ok(Standing::Ready { seq, customer_id: None, locale: None });
    }
    let Some(order_id) = event.order_id() else {
        return Ok(Standing::Ready { seq: 0, customer_id: None, locale: None });
    };
    let shipment = match event {
        Event::DeliveryUpdated(update) | Event::OrderDelivered(update) => {
            let found = orders::shipment(tx, shop, order_id, &update.shipment_id).await?;
            if found.is_none() && !row.late {
                return Ok(Standing::TooEarly);
            }
            found
        }
        _ => None,
    };
    let Some(order) = orders::advance(tx, shop, order_id, row.late, now_ms).await? else {
        return Ok(Standing::TooEarly);
    };
    let mut status = None;
    match event {
        Event::OrderShipped(shipped) => {
            let mut shipment = shipped.shipment.clone();
            if let Some(known) = orders::payload(tx, shop, order_id).await? {
                shipment.promised = known.delivery.and_then(|delivery| delivery.promised);
                shipment.destination = shipment.destination.or(known.destination);
            }
            orders::put_shipment(tx, shop, order_id, &shipment, now_ms).await?;
            status = match order.status.as_str() {
                "placed" | "unknown" => Some("shipped"),
                "delivered" if orders::under_way(tx, shop, order_id).await? => Some("shipped"),
                _ => None,
            };
        }
        Event::DeliveryUpdated(update) | Event::OrderDelivered(update) => {
            let delivered = event.hook() == Hook::OrderDelivered;
            if let Some(shipment) = shipment {
                orders::update_shipment(tx, shop, order_id, shipment, &update.update, delivered, now_ms)
                    .await?;
            }
            let open = matches!(order.status.as_str(), "placed" | "shipped" | "unknown");
            if delivered && open && !orders::under_way(tx, shop, order_id).await? {
                status = Some("delivered");
            }
        }
        Event::OrderCancelled(_) => status = Some("cancelled"),
        Event::OrderReturned(_) => status = Some("returned"),
        _ => {}
    }
    if let Some(status) = status {
        orders::set_status(tx, shop, order_id, status).await?;
        // Cancelled orders do not count among a customer's.
        if let Some(customer) = &order.customer_id {
            tx.touched.customers.push((shop.to_owned(), customer.clone()));
        }
    }
    Ok(Standing::Ready { seq: order.seq, customer_id: order.customer_id, locale: order.locale })
}

/// Writes the event, or opens a held one, with its jobs; cancels what it cancels.
async fn open(tx: &mut Tx, row: &Row, subscribers: &Subscribers, now_ms: i64, was_held: bool) -> Result<()> {
    let plugins = Hook::from_name(&row.hook).and_then(|hook| subscribers.get(&hook));
    let plugins = plugins.map(Vec::as_slice).unwrap_or_default();
    let state = if plugins.is_empty() { "done" } else { "open" };
    if was_held {
        sqlx::query(
            "UPDATE events SET state = $2, seq = $3, customer_id = $4, locale = $5, late = $6, hold_until = NULL \
             WHERE id = $1",
        )
        .bind(&row.id)
        .bind(state)
        .bind(row.seq)
        .bind(row.customer_id.as_deref())
        .bind(row.locale.as_deref())
        .bind(i64::from(row.late))
        .execute(&mut tx.connection)
        .await?;
        tx.touched.events.push(row.id.clone());
    } else {
        insert(tx, row, state, None).await?;
    }
    jobs::insert(tx, row, plugins, now_ms).await?;
    if let Some(order_id) = &row.order_id {
        messages::cancel_on(tx, &row.shop, order_id, &row.hook, now_ms).await?;
    }
    Ok(())
}

pub(super) async fn insert(tx: &mut Tx, row: &Row, state: &str, hold_until: Option<i64>) -> Result<()> {
    sqlx::query(
        "INSERT INTO events (id, shop, hook, order_id, customer_id, seq, payload, contract, locale, state, late, \
           hold_until, received_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(&row.id)
    .bind(&row.shop)
    .bind(&row.hook)
    .bind(row.order_id.as_deref())
    .bind(row.customer_id.as_deref())
    .bind(row.seq)
    .bind(&row.payload)
    .bind(CONTRACT)
    .bind(row.locale.as_deref())
    .bind(state)
    .bind(i64::from(row.late))
    .bind(hold_until)
    .bind(row.received_at)
    .execute(&mut tx.connection)
    .await?;
    Ok(())
}

/// Held events of the order whose elder has come, in the order they came, as long as one makes the next
/// possible.
async fn release(tx: &mut Tx, intake: &Intake, order_id: &str) -> Result<()> {
    loop {
        let held = sqlx::query(
            "SELECT id, shop, hook, order_id, customer_id, locale, seq, payload, late, received_at \
             FROM events WHERE shop = $1 AND order_id = $2 AND state = 'held' ORDER BY received_at, id",
        )
        .bind(&intake.shop)
        .bind(order_id)
        .fetch_all(&mut tx.connection)
        .await?;
        let mut released = false;
        for held in &held {
            released |= admit(tx, read(held)?, &intake.currency, &intake.subscribers, intake.now_ms).await?;
        }
        if !released {
            return Ok(());
        }
    }
}

/// Opens a held event if it may.
async fn admit(
    tx: &mut Tx,
    mut row: Row,
    currency: &str,
    subscribers: &Subscribers,
    now_ms: i64,
) -> Result<bool> {
    let event: Event = from_json("event", row.payload.clone())?;
    let Standing::Ready { seq, customer_id, locale } =
        enter(tx, &row, &event, None, currency, now_ms).await?
    else {
        return Ok(false);
    };
    row.seq = seq;
    row.customer_id = row.customer_id.or(customer_id);
    row.locale = row.locale.or(locale);
    open(tx, &row, subscribers, now_ms, true).await?;
    Ok(true)
}

fn release_late<'c>(tx: &'c mut Tx, late: &'c Late) -> BoxFuture<'c, Result<()>> {
    Box::pin(async move {
        let held = sqlx::query(
            "SELECT id, shop, hook, order_id, customer_id, locale, seq, payload, late, received_at \
             FROM events WHERE shop = $1 AND state = 'held' AND hold_until <= $2 ORDER BY received_at, id",
        )
        .bind(&late.shop)
        .bind(late.now_ms)
        .fetch_all(&mut tx.connection)
        .await?;
        for held in &held {
            let row = Row { late: true, ..read(held)? };
            admit(tx, row, &late.currency, &late.subscribers, late.now_ms).await?;
        }
        Ok(())
    })
}
