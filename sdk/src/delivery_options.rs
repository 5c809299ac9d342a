//! Offering ways of delivery in `delivery`; changing and hiding them in `review`. Needs the grant
//! `delivery-options`.

use crate::raw::delivery_options as raw;
use crate::types::{Arrival, DeliveryOption, PickupPoint, Place, Text};

impl DeliveryOption {
    /// A way of delivery to the home at no cost, until said otherwise. `id` stays the same.
    pub fn new(id: &str, title: Text) -> Self {
        Self {
            id: id.to_owned(),
            title,
            description: None,
            kind: "home".to_owned(),
            carrier: None,
            group: None,
            price: 0,
            arrival: None,
            order_before: None,
            pickup_points: Vec::new(),
        }
    }

    /// A line below the title.
    pub fn description(mut self, description: Text) -> Self {
        self.description = Some(description);
        self
    }

    /// `home`, `work`, `locker`, `pickup-point`, `post`, `store`, `digital`.
    pub fn kind(mut self, kind: &str) -> Self {
        kind.clone_into(&mut self.kind);
        self
    }

    /// Who carries it.
    pub fn carrier(mut self, carrier: &str) -> Self {
        self.carrier = Some(carrier.to_owned());
        self
    }

    /// The delivery group it is for; else the whole cart.
    pub fn group(mut self, group: &str) -> Self {
        self.group = Some(group.to_owned());
        self
    }

    /// Minor units of the cart's currency.
    pub fn price(mut self, amount: i64) -> Self {
        self.price = amount;
        self
    }

    /// The days on which it may arrive, both included, `YYYY-MM-DD`.
    pub fn arrival(mut self, earliest: &str, latest: &str) -> Self {
        self.arrival = Some(Arrival { earliest: earliest.to_owned(), latest: latest.to_owned() });
        self
    }

    /// Ordering by then (UTC milliseconds) keeps the arrival.
    pub fn order_before(mut self, at_ms: i64) -> Self {
        self.order_before = Some(at_ms);
        self
    }

    /// A place where it may be fetched.
    pub fn pickup_point(mut self, id: &str, name: &str, place: Place) -> Self {
        self.pickup_points.push(PickupPoint { id: id.to_owned(), name: name.to_owned(), place });
        self
    }

    /// Offers it. Gives the effect's index in this call.
    pub fn add(&self) -> u32 {
        raw::add(self)
    }
}

/// Gives an option another price (minor units). `id` is one that `offers::delivery` shows.
pub fn reprice(id: &str, price: i64) {
    raw::adjust(id, Some(price), None);
}

/// Gives an option another title.
pub fn retitle(id: &str, title: Text) {
    raw::adjust(id, None, Some(&title));
}

/// Takes an option away; the merchant reads the reason.
pub fn hide(id: &str, reason: &str) {
    raw::hide(id, reason);
}
