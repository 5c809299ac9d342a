//! What a delivery means, held against what is stored: identity is the order and its transition.

use sha2::{Digest, Sha256};

use super::{CustomerReading, OrderReading, Standing};
use crate::domain::{Event, Order, OrderCancelled, OrderRecord, OrderReturn, OrderReturned, ShippedLine};

/// What there is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An event that is not known yet.
    Report {
        /// E.g. `order/17/placed`.
        id: String,
        /// Of what the event says, not of the bytes: every delivery's bytes differ.
        fingerprint: [u8; 32],
        event: Box<Event>,
    },
    /// Nothing is new, and why.
    Nothing(&'static str),
    /// The order is known, and this delivery says otherwise: the first is kept.
    Differs(&'static str),
}

/// `stored` is the order as known here; `live_since` (UTC milliseconds) is when the shop went live.
#[must_use]
pub fn of_order(reading: OrderReading, stored: Option<&OrderRecord>, live_since: Option<i64>) -> Step {
    let id = reading.placed.order.id.clone();
    match (reading.standing, stored) {
        (Standing::Unknown, _) => {
            Step::Nothing("a status of another extension; only WooCommerce's own are known")
        }
        (Standing::NotPlaced, _) => Step::Nothing("a draft or an unpaid order: not placed"),
        (Standing::Placed, None) if live_since.is_some_and(|since| reading.since < since) => {
            Step::Nothing("placed before the shop went live (live_since)")
        }
        (Standing::Placed, None) => report(format!("order/{id}/placed"), Event::OrderPlaced(reading.placed)),
        (Standing::Placed, Some(stored)) if same_purchase(&stored.order, &reading.placed.order) => {
            Step::Nothing("the order is already known")
        }
        (Standing::Placed, Some(_)) => {
            Step::Differs("the order was changed after it was placed; the first is kept")
        }
        (Standing::Cancelled | Standing::Refunded, None) => {
            Step::Nothing("the end of an order that was never known here")
        }
        (Standing::Cancelled, Some(stored)) if stored.status == "cancelled" => {
            Step::Nothing("the cancellation is already known")
        }
        (Standing::Cancelled, Some(_)) => report(
            format!("order/{id}/cancelled"),
            Event::OrderCancelled(OrderCancelled { order_id: id, reason: None }),
        ),
        (Standing::Refunded, Some(stored)) if stored.status == "returned" => {
            Step::Nothing("the refund is already known")
        }
        (Standing::Refunded, Some(_)) => refund(reading, id),
    }
}

#[must_use]
pub fn of_customer(reading: CustomerReading, live_since: Option<i64>) -> Step {
    if live_since.is_some_and(|since| reading.created_at.is_some_and(|created| created < since)) {
        return Step::Nothing("an account from before the shop went live (live_since)");
    }
    report(format!("customer/{}/created", reading.id), Event::CustomerCreated(reading.created))
}

/// A whole refund. Its reason is the staff's own words, which may name somebody: it is left out.
fn refund(reading: OrderReading, id: String) -> Step {
    let order = reading.placed.order;
    let refunded = if reading.refunded > 0 { reading.refunded } else { order.total.max(0) };
    let lines = order
        .lines
        .into_iter()
        .filter(|line| line.quantity > 0)
        .map(|line| ShippedLine { line: line.id, quantity: line.quantity })
        .collect();
    let returned = |at| {
        Event::OrderReturned(OrderReturned {
            order_id: id.clone(),
            order_return: OrderReturn { id: "refund".to_owned(), lines, refunded, reason: None, at },
        })
    };
    // The time is that of the delivery, so it is not part of what is compared.
    let mut event = returned(0);
    let fingerprint = fingerprint(&event);
    if let Event::OrderReturned(returned) = &mut event {
        returned.order_return.at = reading.changed_at;
    }
    Step::Report { id: format!("order/{id}/returned"), fingerprint, event: Box::new(event) }
}

fn report(id: String, event: Event) -> Step {
    Step::Report { id, fingerprint: fingerprint(&event), event: Box::new(event) }
}

fn fingerprint(event: &Event) -> [u8; 32] {
    // An event is a tree of plain values: writing it cannot fail.
    Sha256::digest(serde_json::to_vec(event).unwrap_or_default()).into()
}

/// The same goods for the same money; an address or a note may have been corrected since.
fn same_purchase(stored: &Order, now: &Order) -> bool {
    let goods = |order: &Order| {
        let mut goods: Vec<_> = order
            .lines
            .iter()
            .map(|line| (line.product.clone(), line.variant.clone(), line.quantity))
            .collect();
        goods.sort();
        goods
    };
    stored.currency == now.currency && stored.total == now.total && goods(stored) == goods(now)
}
