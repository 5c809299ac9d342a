//! What a customer bought, and what becomes of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wasmtime::component::{ComponentType, Lift, Lower};

use super::cart::Buyer;
use super::cart::Line;
use super::place::Attribute;
use super::place::Place;

/// The days on which a parcel may arrive, both included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct Arrival {
    pub earliest: String,
    pub latest: String,
}

/// What the shopper was shown and chose, kept with the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct DeliveryChoice {
    /// Id of the delivery option, as answered by the checkout.
    pub id: String,
    pub title: String,
    pub price: i64,
    /// The promise, when a valid quote came back with the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised: Option<Arrival>,
}

/// Fees, tips, refunds: everything in a total that is neither goods, delivery, tax nor discount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct Adjustment {
    /// `fee`, `tip`, `refund`, `other`.
    pub kind: String,
    pub label: String,
    pub amount: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct Order {
    pub id: String,
    /// What the shopper reads, e.g. `#1001`.
    #[serde(default)]
    pub number: String,
    #[component(name = "cart-id")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cart_id: Option<String>,
    /// The signed quote that came back with the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    #[component(name = "placed-at")]
    #[serde(with = "super::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub placed_at: i64,
    pub currency: String,
    /// The host sets it from the currency.
    #[serde(default)]
    pub exponent: u8,
    #[serde(default)]
    pub lines: Vec<Line>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<Place>,
    #[serde(default)]
    pub buyer: Buyer,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryChoice>,
    #[component(name = "payment-method")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<String>,
    #[serde(default)]
    pub codes: Vec<String>,
    #[component(name = "prices-include-tax")]
    #[serde(default)]
    pub prices_include_tax: bool,
    /// Sum of the lines before discounts.
    pub subtotal: i64,
    /// Not negative; is taken off.
    #[serde(default)]
    pub discount: i64,
    #[serde(default)]
    pub tax: i64,
    #[serde(default)]
    pub adjustments: Vec<Adjustment>,
    pub total: i64,
    #[serde(default)]
    pub attributes: Vec<Attribute>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct Shipment {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    #[component(name = "tracking-number")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
    #[component(name = "tracking-url")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_url: Option<String>,
    #[serde(default)]
    pub lines: Vec<ShippedLine>,
    #[component(name = "shipped-at")]
    #[serde(with = "super::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub shipped_at: i64,
    /// What was promised at checkout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised: Option<Arrival>,
    /// What the carrier says now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated: Option<Arrival>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<Place>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct ShippedLine {
    pub line: String,
    pub quantity: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct DeliveryUpdate {
    /// `in-transit`, `arrived-at-facility`, `out-for-delivery`, `ready-for-pickup`, `attempted`,
    /// `delayed`, `problem`, `returning`, `delivered`.
    pub stage: String,
    #[serde(with = "super::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub at: i64,
    /// Where the parcel is, as the carrier names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated: Option<Arrival>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct OrderReturn {
    pub id: String,
    #[serde(default)]
    pub lines: Vec<ShippedLine>,
    /// Money given back, not negative.
    #[serde(default)]
    pub refunded: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(with = "super::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub at: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct Feedback {
    /// 1 to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<u8>,
    /// What was rated: `goods`, `delivery`, `service`, `shop`.
    #[serde(default = "shop_subject")]
    pub subject: String,
    /// The customer's words, with everything that looks like a contact detail taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(with = "super::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub at: i64,
}

fn shop_subject() -> String {
    "shop".to_owned()
}
