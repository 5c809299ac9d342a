//! The lives of orders: what a shop reports of each, made from the seed. Some of it comes too early, twice, or in
//! another order than it happened.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Customers among whom the orders are spread: several orders of one at once.
const CUSTOMERS: u32 = 24;
/// A life has so many events at most.
pub const LONGEST: usize = 10;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Placed,
    Shipped,
    Updated,
    Delivered,
    Cancelled,
    Returned,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Shipped => "shipped",
            Self::Updated => "updated",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
        }
    }

    fn hook(self) -> &'static str {
        match self {
            Self::Placed => "order-placed",
            Self::Shipped => "order-shipped",
            Self::Updated => "delivery-updated",
            Self::Delivered => "order-delivered",
            Self::Cancelled => "order-cancelled",
            Self::Returned => "order-returned",
        }
    }
}

/// One event, as far as the books depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub order: String,
    pub customer: String,
    pub kind: Kind,
    /// Its name in the books, one of the order's own, e.g. `D:s1`.
    pub mark: String,
    pub shipment: String,
    /// What was paid or given back, minor units.
    pub amount: i64,
}

impl Fact {
    /// The event's identity.
    pub fn id(&self) -> String {
        format!("{}/{}", self.order, self.mark)
    }
}

/// The events of one order, in the order in which they are sent. The same for the same seed and number.
pub fn life(seed: u64, number: u64) -> Vec<Fact> {
    let mut rng = StdRng::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(number));
    let order = format!("o{number}");
    let customer = format!("c{}", rng.random_range(0..CUSTOMERS));
    let total = rng.random_range(10..200) * 100;
    let fact = |kind, mark: String, shipment: &str, amount| Fact {
        order: order.clone(),
        customer: customer.clone(),
        kind,
        mark,
        shipment: shipment.to_owned(),
        amount,
    };
    let mut facts = vec![fact(Kind::Placed, "P".to_owned(), "", total)];
    let cancelled = rng.random_bool(0.15);
    if cancelled {
        facts.push(fact(Kind::Cancelled, "C".to_owned(), "", 0));
    } else {
        for shipment in ["s1", "s2"].iter().take(rng.random_range(1..=2)) {
            facts.push(fact(Kind::Shipped, format!("S:{shipment}"), shipment, 0));
            for step in 0..rng.random_range(0..=2) {
                facts.push(fact(Kind::Updated, format!("U:{shipment}:{step}"), shipment, 0));
            }
            facts.push(fact(Kind::Delivered, format!("D:{shipment}"), shipment, 0));
        }
        if rng.random_bool(0.2) {
            facts.push(fact(Kind::Returned, "R:r1".to_owned(), "", total / 2));
        }
    }
    // Out of order, or too early.
    if rng.random_bool(0.3) {
        let at = rng.random_range(0..facts.len() - 1);
        facts.swap(at, at + 1);
    }
    facts
}

/// Path and body by which a shop reports it.
pub fn request(fact: &Fact) -> (String, Value) {
    let (order, at) = (&fact.order, "2026-11-28T10:00:00Z");
    let body = match fact.kind {
        Kind::Placed => json!({
            "order": {
                "id": order, "number": order, "placed_at": at, "currency": "PLN",
                "lines": [{ "id": "1", "product": "mug", "title": "A mug", "quantity": 1, "unit_price": fact.amount }],
                "destination": { "country": "PL", "postcode": "00-001", "city": "Warszawa" },
                "payment_method": "card", "prices_include_tax": true,
                "subtotal": fact.amount, "total": fact.amount,
            },
            "customer": {
                "id": fact.customer, "first_name": "Anna", "email": format!("{}@mail.example", fact.customer),
                "locale": "en", "zone": "Europe/Warsaw", "consents": [],
            },
        }),
        Kind::Shipped => json!({
            "order_id": order,
            "shipment": { "id": fact.shipment, "carrier": "Post", "lines": [], "shipped_at": at },
        }),
        Kind::Updated | Kind::Delivered => {
            let stage = if fact.kind == Kind::Delivered { "delivered" } else { "in-transit" };
            let note = fact.mark.rsplit(':').next();
            json!({
                "order_id": order, "shipment_id": fact.shipment,
                "update": { "stage": stage, "at": at, "note": note },
            })
        }
        Kind::Cancelled => json!({ "order_id": order }),
        Kind::Returned => json!({
            "order_id": order, "return": { "id": "r1", "lines": [], "refunded": fact.amount, "at": at },
        }),
    };
    (format!("/v1/hooks/{}", fact.kind.hook()), body)
}
