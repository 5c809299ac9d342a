//! What one asks of carts, orders and customers.

use crate::types::{Cart, Customer, Line, Order, Place, Product, Shop};

fn sum(amounts: impl Iterator<Item = i64>) -> i64 {
    amounts.fold(0, i64::saturating_add)
}

impl Line {
    /// Price of the whole line before discounts, in minor units.
    pub fn total(&self) -> i64 {
        self.unit_price.saturating_mul(i64::from(self.quantity))
    }

    /// Weight of the whole line.
    pub fn weight(&self) -> u64 {
        u64::from(self.weight_grams).saturating_mul(u64::from(self.quantity))
    }

    /// Whether it has a tag.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|own| own == tag)
    }

    /// An attribute of the line.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|a| a.key == key).map(|a| a.value.as_str())
    }
}

impl Cart {
    /// Sum of the lines before discounts, in minor units.
    pub fn subtotal(&self) -> i64 {
        sum(self.lines.iter().map(Line::total))
    }

    /// Pieces in all lines.
    pub fn pieces(&self) -> u64 {
        self.lines.iter().map(|line| u64::from(line.quantity)).sum()
    }

    /// Weight of what is shipped, in grams.
    pub fn weight(&self) -> u64 {
        self.lines.iter().filter(|line| line.requires_shipping).map(Line::weight).fold(0, u64::saturating_add)
    }

    /// Whether anything in it is shipped.
    pub fn requires_shipping(&self) -> bool {
        self.lines.iter().any(|line| line.requires_shipping)
    }

    /// Whether a product is in it.
    pub fn contains(&self, product: &str) -> bool {
        self.lines.iter().any(|line| line.product == product)
    }

    /// The products in it, each once, in the order of the lines.
    pub fn products(&self) -> Vec<&str> {
        products(&self.lines)
    }

    /// The country of the destination, when known.
    pub fn country(&self) -> Option<&str> {
        self.destination.as_ref().map(|place| place.country.as_str())
    }

    /// The entered codes that are yours to judge (campaign codes).
    pub fn unknown_codes(&self) -> impl Iterator<Item = &str> {
        self.codes.iter().filter(|code| code.status == "unknown").map(|code| code.code.as_str())
    }

    /// An attribute of the cart.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|a| a.key == key).map(|a| a.value.as_str())
    }
}

impl Order {
    /// Pieces in all lines.
    pub fn pieces(&self) -> u64 {
        self.lines.iter().map(|line| u64::from(line.quantity)).sum()
    }

    /// The products in it, each once, in the order of the lines.
    pub fn products(&self) -> Vec<&str> {
        products(&self.lines)
    }

    /// The country of the destination, when known.
    pub fn country(&self) -> Option<&str> {
        self.destination.as_ref().map(|place| place.country.as_str())
    }

    /// What was paid for goods: the subtotal less the discount, never negative.
    pub fn goods_total(&self) -> i64 {
        self.subtotal.saturating_sub(self.discount).max(0)
    }

    /// An attribute of the order.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|a| a.key == key).map(|a| a.value.as_str())
    }
}

fn products(lines: &[Line]) -> Vec<&str> {
    let mut seen: Vec<&str> = Vec::with_capacity(lines.len());
    for line in lines {
        if !seen.contains(&line.product.as_str()) {
            seen.push(&line.product);
        }
    }
    seen
}

impl Place {
    /// A country (ISO 3166-1 alpha-2), and nothing nearer.
    pub fn country(code: &str) -> Self {
        Self { country: code.to_owned(), region: None, city: None, postcode: None }
    }
}

impl Customer {
    /// Whether they agreed to a category (`marketing`, `updates`) on a channel (`email`, `sms`, `push`).
    /// The host asks again before it sends.
    pub fn consents_to(&self, category: &str, channel: &str) -> bool {
        self.consents
            .iter()
            .any(|consent| consent.granted && consent.category == category && consent.channel == channel)
    }
}

/// What has a currency: a cart, an order, a shop.
pub trait Priced {
    /// ISO 4217, and the decimal places of the currency (2 for EUR, 0 for JPY, 3 for KWD).
    fn currency(&self) -> (&str, u8);
}

impl Priced for Cart {
    fn currency(&self) -> (&str, u8) {
        (&self.currency, self.exponent)
    }
}

impl Priced for Order {
    fn currency(&self) -> (&str, u8) {
        (&self.currency, self.exponent)
    }
}

impl Priced for Shop {
    fn currency(&self) -> (&str, u8) {
        (&self.currency, self.exponent)
    }
}

impl Product {
    /// Whether it has a tag.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|own| own == tag)
    }
}
