//! What an event must be like to be taken in: checked and brought into one form. Pure.
//!
//! Instants must be between 2000-01-01 and five years from now. A shop's clock that is ahead or behind is no
//! reason to refuse: what it says is kept.

mod customer;
mod email;
mod fields;
mod order;

use crate::config::ShopConfig;
use crate::decide::cart;
use crate::domain::plain::TEXT;
use crate::domain::{CartAbandoned, DeliveryUpdate, Event, Feedback, OrderReturn, Shipment, ShippedLine};
use crate::lifecycle::IntakeError;
pub use customer::customer;
pub use email::is_email;
pub use fields::is_web_address;
use fields::{
    Checked, arrival, at_most, id, instant, invalid, not_negative, optional, place, web_address, words,
};

/// Characters of a customer's own words.
const WORDS: usize = 10_000;
/// Lines of an order, a shipment, a return.
const LINES: usize = 2_000;

/// Of a shop, at `now_ms`.
pub(crate) fn event(event: &mut Event, shop: &ShopConfig, now_ms: i64) -> Checked {
    match event {
        Event::OrderPlaced(placed) => {
            order::order(&mut placed.order, &shop.attributes, now_ms)?;
            optional("locale", placed.locale.as_ref(), customer::LOCALE)?;
            placed.customer.as_mut().map_or(Ok(()), |input| customer(input, now_ms))
        }
        Event::OrderShipped(shipped) => {
            id("order_id", &shipped.order_id)?;
            shipment(&mut shipped.shipment, now_ms)
        }
        Event::DeliveryUpdated(updated) | Event::OrderDelivered(updated) => {
            id("order_id", &updated.order_id)?;
            id("shipment_id", &updated.shipment_id)?;
            update(&mut updated.update, now_ms)
        }
        Event::OrderCancelled(cancelled) => {
            id("order_id", &cancelled.order_id)?;
            words("reason", cancelled.reason.as_mut(), TEXT)
        }
        Event::OrderReturned(returned) => {
            id("order_id", &returned.order_id)?;
            order_return(&mut returned.order_return, now_ms)
        }
        Event::CustomerCreated(created) => customer::known(&mut created.customer, now_ms),
        Event::CartAbandoned(abandoned) => cart_abandoned(abandoned, shop, now_ms),
        Event::FeedbackReceived(received) => {
            if let Some(order_id) = &received.order_id {
                id("order_id", order_id)?;
            }
            feedback(&mut received.feedback, now_ms)?;
            received.customer.as_mut().map_or(Ok(()), |input| customer(input, now_ms))
        }
    }
}

/// A cart is the same wherever it comes: as a question before the sale, or left behind.
fn cart_abandoned(abandoned: &mut CartAbandoned, shop: &ShopConfig, now_ms: i64) -> Checked {
    abandoned.cart = cart::normalise(abandoned.cart.clone(), shop).map_err(|problems| {
        // Never empty: a refusal has a reason.
        let first = problems.into_iter().next();
        let (field, what) = first.map_or_else(Default::default, |problem| (problem.field, problem.what));
        IntakeError::Invalid { field, what }
    })?;
    customer::known(&mut abandoned.customer, now_ms)
}

fn shipment(shipment: &mut Shipment, now_ms: i64) -> Checked {
    id("shipment.id", &shipment.id)?;
    for (field, text) in [
        ("shipment.carrier", &shipment.carrier),
        ("shipment.tracking_number", &shipment.tracking_number),
        ("shipment.tracking_url", &shipment.tracking_url),
    ] {
        optional(field, text.as_ref(), TEXT)?;
    }
    if let Some(url) = &shipment.tracking_url {
        web_address("shipment.tracking_url", url)?;
    }
    pieces("shipment.lines", &shipment.lines)?;
    instant("shipment.shipped_at", shipment.shipped_at, now_ms)?;
    // A promise is what a quote says, not what is said of it now.
    shipment.promised = None;
    arrival("shipment.estimated", shipment.estimated.as_ref(), now_ms)?;
    place("shipment.destination", shipment.destination.as_mut())
}

fn update(update: &mut DeliveryUpdate, now_ms: i64) -> Checked {
    id("update.stage", &update.stage)?;
    instant("update.at", update.at, now_ms)?;
    arrival("update.estimated", update.estimated.as_ref(), now_ms)?;
    words("update.location", update.location.as_mut(), TEXT)?;
    words("update.note", update.note.as_mut(), TEXT)
}

fn order_return(returned: &mut OrderReturn, now_ms: i64) -> Checked {
    id("return.id", &returned.id)?;
    pieces("return.lines", &returned.lines)?;
    not_negative("return.refunded", returned.refunded)?;
    instant("return.at", returned.at, now_ms)?;
    words("return.reason", returned.reason.as_mut(), TEXT)
}

fn pieces(field: &str, lines: &[ShippedLine]) -> Checked {
    at_most(field, lines.len(), LINES, "lines")?;
    for (at, line) in lines.iter().enumerate() {
        id(&format!("{field}[{at}].line"), &line.line)?;
    }
    Ok(())
}

fn feedback(feedback: &mut Feedback, now_ms: i64) -> Checked {
    if feedback.rating.is_some_and(|rating| !(1..=10).contains(&rating)) {
        return invalid("feedback.rating", "must be 1 to 10");
    }
    id("feedback.subject", &feedback.subject)?;
    instant("feedback.at", feedback.at, now_ms)?;
    words("feedback.text", feedback.text.as_mut(), WORDS)
}
