//! Carts, orders and customers for tests, in few words.

mod goods;
mod parcels;
mod people;
mod products;

pub use goods::{CartBuilder, OrderBuilder, cart, order};
pub use parcels::{ShipmentBuilder, UpdateBuilder, order_return, shipment, update};
pub use people::{CustomerBuilder, customer, feedback};
pub use products::{ProductBuilder, product};

use super::at;
use crate::types::{Arrival, Buyer, DueTimer};

fn consumer() -> Buyer {
    Buyer { kind: "consumer".into(), tax_exempt: false, segments: Vec::new() }
}

fn arrival(earliest: &str, latest: &str) -> Arrival {
    Arrival { earliest: earliest.to_owned(), latest: latest.to_owned() }
}

/// A timer that is due a day after the mock host begins.
pub fn due_timer(key: &str, payload: &str) -> DueTimer {
    DueTimer {
        key: key.to_owned(),
        payload: payload.to_owned(),
        due_at: at("2026-12-01T10:00:00+01:00"),
        set_at: at("2026-11-30T10:00:00+01:00"),
    }
}
