//! What a shopper is about to buy.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wasmtime::component::{ComponentType, Lift, Lower};

use super::place::{Attribute, Place};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct Line {
    pub id: String,
    pub product: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    #[serde(default)]
    pub title: String,
    pub quantity: u32,
    /// Of one piece, with tax when the cart's prices include it.
    #[component(name = "unit-price")]
    pub unit_price: i64,
    #[serde(default)]
    pub tags: Vec<String>,
    /// Of one piece.
    #[component(name = "weight-grams")]
    #[serde(default)]
    pub weight_grams: u32,
    #[component(name = "requires-shipping")]
    #[serde(default = "yes")]
    pub requires_shipping: bool,
    #[component(name = "gift-card")]
    #[serde(default)]
    pub gift_card: bool,
    #[serde(default = "yes")]
    pub taxable: bool,
    /// Of the whole line.
    #[serde(default)]
    pub tax: i64,
    /// The line this one belongs to (a bundle's part, an engraving).
    #[component(name = "parent-line")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_line: Option<String>,
    #[serde(default)]
    pub attributes: Vec<Attribute>,
}

/// Lines that travel together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct DeliveryGroup {
    pub id: String,
    #[serde(default)]
    pub lines: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Place>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<Place>,
}

/// Who buys, without naming anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct Buyer {
    /// `consumer` or `business`.
    #[serde(default = "consumer")]
    pub kind: String,
    #[component(name = "tax-exempt")]
    #[serde(default)]
    pub tax_exempt: bool,
    #[serde(default)]
    pub segments: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct PaymentMethod {
    pub id: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct EnteredCode {
    pub code: String,
    /// `own` (issued by this host, already applied), `unknown` (yours to judge), `expired`, `used`.
    /// The host finds it; what a storefront sends is ignored.
    #[serde(default = "unknown")]
    pub status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct Cart {
    pub id: String,
    /// ISO 4217.
    pub currency: String,
    /// Decimal places of the currency: 2 for EUR, 0 for JPY, 3 for KWD.
    /// The host sets it from the currency.
    #[serde(default)]
    pub exponent: u8,
    #[serde(default)]
    pub lines: Vec<Line>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<Place>,
    #[serde(default)]
    pub groups: Vec<DeliveryGroup>,
    #[serde(default)]
    pub buyer: Buyer,
    #[component(name = "prices-include-tax")]
    #[serde(default)]
    pub prices_include_tax: bool,
    /// Of the whole cart, without delivery.
    #[serde(default)]
    pub tax: i64,
    #[component(name = "payment-methods")]
    #[serde(default)]
    pub payment_methods: Vec<PaymentMethod>,
    #[serde(default)]
    pub codes: Vec<EnteredCode>,
    #[serde(default)]
    pub attributes: Vec<Attribute>,
}

fn yes() -> bool {
    true
}

fn consumer() -> String {
    "consumer".to_owned()
}

fn unknown() -> String {
    "unknown".to_owned()
}

impl Default for Buyer {
    fn default() -> Self {
        Self { kind: consumer(), tax_exempt: false, segments: Vec::new() }
    }
}

impl Line {
    /// Price of the whole line; `None` when it passes the limit of an amount.
    #[must_use]
    pub fn total(&self) -> Option<i64> {
        self.unit_price.checked_mul(i64::from(self.quantity)).filter(|total| super::money::is_amount(*total))
    }
}
