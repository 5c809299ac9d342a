//! Customers, and what they say.

use super::super::at;
use super::consumer;
use crate::types::{Consent, Customer, Feedback, PastOrder};

/// A customer who has bought nothing yet.
pub fn customer(id: &str) -> CustomerBuilder {
    CustomerBuilder(Customer {
        id: id.to_owned(),
        first_name: None,
        locale: None,
        zone: None,
        buyer: consumer(),
        created_at: at("2026-01-01T12:00:00Z"),
        first_order_at: None,
        orders_count: 0,
        spent: 0,
        orders: Vec::new(),
        points: 0,
        tier: None,
        consents: Vec::new(),
    })
}

/// A customer being built; taken wherever a customer is.
#[derive(Debug, Clone)]
pub struct CustomerBuilder(Customer);

impl CustomerBuilder {
    /// The first name.
    pub fn first_name(mut self, name: &str) -> Self {
        self.0.first_name = Some(name.to_owned());
        self
    }

    /// The language.
    pub fn locale(mut self, locale: &str) -> Self {
        self.0.locale = Some(locale.to_owned());
        self
    }

    /// The time zone.
    pub fn zone(mut self, zone: &str) -> Self {
        self.0.zone = Some(zone.to_owned());
        self
    }

    /// One more past order, newer than those before: its count, sum and first date follow.
    pub fn bought(mut self, id: &str, time: &str, total: i64, products: &[&str]) -> Self {
        let placed_at = at(time);
        self.0.orders_count = self.0.orders_count.saturating_add(1);
        self.0.spent = self.0.spent.saturating_add(total);
        self.0.first_order_at.get_or_insert(placed_at);
        self.0.orders.insert(
            0,
            PastOrder {
                id: id.to_owned(),
                placed_at,
                currency: "EUR".into(),
                total,
                products: products.iter().map(|id| (*id).to_owned()).collect(),
            },
        );
        self
    }

    /// How many orders, and their sum.
    pub fn history(mut self, orders: u32, spent: i64) -> Self {
        self.0.orders_count = orders;
        self.0.spent = spent;
        self
    }

    /// When the first order was placed: RFC 3339.
    pub fn first_order(mut self, time: &str) -> Self {
        self.0.first_order_at = Some(at(time));
        self
    }

    /// Points.
    pub fn points(mut self, points: i64) -> Self {
        self.0.points = points;
        self
    }

    /// The tier.
    pub fn tier(mut self, tier: &str) -> Self {
        self.0.tier = Some(tier.to_owned());
        self
    }

    /// Agreed to a category on a channel.
    pub fn consents(mut self, category: &str, channel: &str) -> Self {
        self.0.consents.push(Consent {
            channel: channel.to_owned(),
            category: category.to_owned(),
            granted: true,
        });
        self
    }

    /// Changes anything else.
    pub fn with(mut self, change: impl FnOnce(&mut Customer)) -> Self {
        change(&mut self.0);
        self
    }

    /// The customer.
    pub fn build(self) -> Customer {
        self.0
    }
}

impl From<CustomerBuilder> for Customer {
    fn from(builder: CustomerBuilder) -> Self {
        builder.build()
    }
}

/// Feedback on `goods`, `delivery`, `service` or `shop`.
pub fn feedback(subject: &str, rating: u8, text: &str) -> Feedback {
    Feedback {
        rating: Some(rating),
        subject: subject.to_owned(),
        text: Some(text.to_owned()),
        at: at("2026-12-03T10:00:00+01:00"),
    }
}
