//! What a job's call is made of: the order, its shipments and the customer as they are stored now, the
//! clock and the seed as they were when the job was made, so that each attempt sees the same.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::domain::{
    Buyer, Customer, DeliveryUpdate, DueTimer, Event, Hook, Journal, Order, OrderRecord, Reads, Shipment,
};
use crate::plugins::call::{Input, Invocation, Offers, Surroundings};
use crate::plugins::registry::{LivePlugin, LiveShop};
use crate::store::{Claimed, Result, Store, StoreError, StoredEvent};

/// Seeds are below 2^53, so that every language can hold them.
const SEED_BITS: u64 = (1 << 53) - 1;

/// Where a call runs.
pub(super) struct Site {
    pub shop: Arc<LiveShop>,
    pub plugin: Arc<LivePlugin>,
    /// For a slot and the call.
    pub patience: Duration,
}

/// The currency is what the call's coupons are in.
pub(super) async fn build(
    store: &Store,
    site: &Site,
    job: &Claimed,
    event: &StoredEvent,
) -> Result<(Invocation, String)> {
    let record = match &event.order_id {
        Some(order) => store.order(&event.shop, order).await?,
        None => None,
    };
    let customer = match &event.customer_id {
        Some(customer) => store.customer_copy(&event.shop, customer).await?,
        None => None,
    };
    let customer = customer.map(|record| Arc::clone(&record.customer));
    let shipments = match (&record, &event.order_id) {
        (Some(record), _) => record.shipments.clone(),
        (None, Some(order)) => store.shipments(&event.shop, order).await?,
        (None, None) => Vec::new(),
    };
    let config = &site.shop.config;
    let currency =
        record.as_ref().map_or_else(|| config.currency.clone(), |record| record.order.currency.clone());
    let (hook, input) = input(event, record.as_ref(), &shipments, &site.shop)?;
    let surroundings = Surroundings {
        hook_name: hook.name().to_owned(),
        now_ms: job.created_at,
        zone: zone(customer.as_deref()).unwrap_or_else(|| config.zone.clone()),
        seed: seed(&job.event_id, &job.plugin),
        locale: locale(event, record.as_ref(), customer.as_deref(), &site.shop),
        viewed: Vec::new(),
        late: event.late,
        shop: Arc::clone(&site.shop.public),
        calendar: Arc::clone(&site.shop.calendar),
        customer,
        order: record.map(|record| Arc::new(record.order)),
        shipments: Arc::new(shipments),
        offers: Arc::new(Offers::default()),
        request_id: job.id.clone(),
    };
    let invocation = Invocation {
        plugin: Arc::clone(&site.plugin),
        hook,
        input,
        surroundings: Arc::new(surroundings),
        customer_id: event.customer_id.clone(),
        order_id: event.order_id.clone(),
        reads: Arc::new(store.clone()) as Arc<dyn Reads>,
        journal: Some(Arc::new(store.journal(job)) as Arc<dyn Journal>),
        until: Instant::now() + site.patience,
    };
    Ok((invocation, currency))
}

/// The same for each attempt of an event's job.
pub(super) fn seed(event_id: &str, plugin: &str) -> u64 {
    let digest = Sha256::new().chain_update(event_id).chain_update([0]).chain_update(plugin).finalize();
    digest.iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte)) & SEED_BITS
}

fn zone(customer: Option<&Customer>) -> Option<String> {
    let zone = customer?.zone.as_ref()?;
    jiff::tz::TimeZone::get(zone).is_ok().then(|| zone.clone())
}

fn locale(
    event: &StoredEvent,
    order: Option<&OrderRecord>,
    customer: Option<&Customer>,
    shop: &LiveShop,
) -> String {
    let asked = event
        .locale
        .as_deref()
        .or(order.and_then(|order| order.locale.as_deref()))
        .or(customer.and_then(|customer| customer.locale.as_deref()));
    shop.wording.negotiate(asked)
}

fn input(
    event: &StoredEvent,
    record: Option<&OrderRecord>,
    shipments: &[Shipment],
    shop: &LiveShop,
) -> Result<(Hook, Input)> {
    let unreadable = |what: &str| StoreError::Corrupt(format!("event {}: {what}", event.id));
    if event.hook == Hook::Timer.name() {
        let timer: DueTimer =
            serde_json::from_str(&event.payload).map_err(|_| unreadable("its timer cannot be read"))?;
        return Ok((Hook::Timer, Input::Timer(Arc::new(timer))));
    }
    let stored: Event =
        serde_json::from_str(&event.payload).map_err(|_| unreadable("its payload cannot be read"))?;
    let order = || match (record, &stored) {
        (Some(record), _) => Arc::new(record.order.clone()),
        (None, Event::OrderPlaced(placed)) => Arc::new(placed.order.clone()),
        (None, _) => Arc::new(unknown_order(event, shop)),
    };
    let updated = |shipment_id: &str, update: &DeliveryUpdate| {
        let known = shipments.iter().find(|shipment| shipment.id == shipment_id);
        let shipment = known.cloned().unwrap_or_else(|| unknown_shipment(shipment_id, update));
        Input::Updated(order(), Arc::new(shipment), Arc::new(update.clone()))
    };
    let input = match &stored {
        Event::OrderPlaced(_) | Event::OrderCancelled(_) => Input::Order(order()),
        Event::OrderShipped(shipped) => {
            let known = shipments.iter().find(|shipment| shipment.id == shipped.shipment.id);
            Input::Shipped(order(), Arc::new(known.unwrap_or(&shipped.shipment).clone()))
        }
        Event::DeliveryUpdated(event) | Event::OrderDelivered(event) => {
            updated(&event.shipment_id, &event.update)
        }
        Event::OrderReturned(event) => Input::Returned(order(), Arc::new(event.order_return.clone())),
        Event::CustomerCreated(_) => Input::Nothing,
        Event::CartAbandoned(event) => Input::Cart(Arc::new(event.cart.clone())),
        Event::FeedbackReceived(event) => Input::Feedback(Arc::new(event.feedback.clone())),
    };
    Ok((stored.hook(), input))
}

/// A late event's order that never came: all that is known of it is its id.
fn unknown_order(event: &StoredEvent, shop: &LiveShop) -> Order {
    let id = event.order_id.clone().unwrap_or_default();
    Order {
        number: id.clone(),
        id,
        cart_id: None,
        quote: None,
        placed_at: event.received_at,
        currency: shop.public.currency.clone(),
        exponent: shop.public.exponent,
        lines: Vec::new(),
        destination: None,
        buyer: Buyer::default(),
        delivery: None,
        payment_method: None,
        codes: Vec::new(),
        prices_include_tax: false,
        subtotal: 0,
        discount: 0,
        tax: 0,
        adjustments: Vec::new(),
        total: 0,
        attributes: Vec::new(),
    }
}

fn unknown_shipment(id: &str, update: &DeliveryUpdate) -> Shipment {
    Shipment {
        id: id.to_owned(),
        carrier: None,
        tracking_number: None,
        tracking_url: None,
        lines: Vec::new(),
        shipped_at: update.at,
        promised: None,
        estimated: update.estimated.clone(),
        destination: None,
    }
}
