//! The order of the call: on the order-status page, in order events, and in timers set in them.
//! Needs the grant `orders`.

use crate::raw::orders as raw;
use crate::types::{Order, Shipment};

/// The order this call is about.
pub fn current() -> Option<Order> {
    raw::current()
}

/// Its shipments, oldest first.
pub fn shipments() -> Vec<Shipment> {
    raw::shipments()
}
