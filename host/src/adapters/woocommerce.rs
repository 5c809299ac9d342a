//! WooCommerce: webhooks of the REST API (v3), as a shop sends them when an order or a customer changes.
//!
//! What the platform does, and what follows:
//! - The delivery id is a hash of the webhook and the *second*: it names nothing. An event is known by the
//!   order and its transition, held against the order that is stored.
//! - A delivery carries the state of the order when it is *sent*, not when it was queued, and any edit sends
//!   the order again: most deliveries say nothing new.
//! - Nothing is retried, and five answers that are not 2xx in a row switch the webhook off for good. So a
//!   payload that cannot be understood is answered 200 and logged: refusing it would bring no second try, and
//!   would soon cost the shop the orders that can be understood.
//! - Saving a webhook sends an unsigned, form-encoded ping that wants exactly 200.
//!
//! Statuses: `processing`, `on-hold` and `completed` are placed orders; `pending`, `checkout-draft` and
//! `failed` are not yet; `cancelled` and `refunded` end one. `completed` means that the merchant is done
//! with the order: sent, collected or downloaded, by no stated carrier. Core WooCommerce knows of no
//! shipment, so none is made up: report `order-shipped` from whatever knows the parcel.

mod amount;
mod order;
mod payload;
mod signature;
mod transition;

use jiff::tz::TimeZone;

use crate::domain::{CustomerCreated, OrderPlaced};

pub use super::unreadable::Unreadable;
pub use signature::fits as signature_fits;
pub use transition::{Step, of_customer, of_order};

/// What a delivery says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    Order(Box<OrderReading>),
    Customer(Box<CustomerReading>),
    /// A topic of no interest here.
    Unhandled,
}

/// An order as it now is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderReading {
    pub standing: Standing,
    pub placed: OrderPlaced,
    /// When the shop came to have it: when it was made or paid, whichever is later; UTC milliseconds.
    pub since: i64,
    /// Given back so far, not negative.
    pub refunded: i64,
    /// When it was last changed; UTC milliseconds.
    pub changed_at: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerReading {
    pub id: String,
    pub created: CustomerCreated,
    /// UTC milliseconds.
    pub created_at: Option<i64>,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Placed,
    /// A draft, or not paid.
    NotPlaced,
    Cancelled,
    Refunded,
    /// A status that another extension brought.
    Unknown,
}

/// Whether a body is the ping that WooCommerce sends when a webhook is saved: `webhook_id=<number>`.
#[must_use]
pub fn is_ping(body: &[u8]) -> bool {
    body.strip_prefix(b"webhook_id=").is_some_and(|id| !id.is_empty() && id.iter().all(u8::is_ascii_digit))
}

/// Reads a delivery whose signature was checked. `zone` is the shop's, for payloads of old API versions
/// that give no UTC time.
pub fn read(topic: &str, body: &[u8], zone: &TimeZone) -> Result<Reading, Unreadable> {
    match topic {
        "order.created" | "order.updated" | "order.restored" => {
            order::translate(payload::parse(body)?, zone).map(|order| Reading::Order(Box::new(order)))
        }
        "customer.created" => order::translate_customer(payload::parse(body)?, zone)
            .map(|customer| Reading::Customer(Box::new(customer))),
        _ => Ok(Reading::Unhandled),
    }
}

#[cfg(test)]
mod tests;
