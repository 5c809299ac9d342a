//! Discounts, delivery options and sums.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wasmtime::component::{ComponentType, Lift, Lower};

use super::order::Arrival;
use super::place::Place;
use super::text::Text;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(variant)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum DiscountTarget {
    /// Id of a line.
    #[component(name = "line")]
    Line(String),
    #[component(name = "order")]
    Order,
    #[component(name = "delivery")]
    Delivery,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(variant)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum DiscountValue {
    /// Basis points.
    #[component(name = "percent")]
    Percent(u32),
    /// Not negative.
    #[component(name = "amount")]
    Amount(i64),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Discount {
    /// Yours, the same for the same reason: stable ids are made of it.
    pub id: String,
    pub title: Text,
    pub target: DiscountTarget,
    pub value: DiscountValue,
    /// The shop's stacking rules speak of classes: `product`, `order`, `delivery`, `loyalty`, `campaign`, or its own.
    pub class: String,
    /// The entered code that earned it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct PickupPoint {
    pub id: String,
    pub name: String,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower)]
#[component(record)]
pub struct DeliveryOption {
    /// Yours, stable.
    pub id: String,
    pub title: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// `home`, `work`, `locker`, `pickup-point`, `post`, `store`, `digital`.
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// The delivery group it is for; none: the whole cart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    pub price: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival: Option<Arrival>,
    /// Ordering by then keeps the arrival.
    #[component(name = "order-before")]
    #[serde(default, skip_serializing_if = "Option::is_none", with = "super::instant::option")]
    pub order_before: Option<i64>,
    #[component(name = "pickup-points")]
    #[serde(default)]
    pub pickup_points: Vec<PickupPoint>,
}

/// The sums so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct Totals {
    pub subtotal: i64,
    pub discount: i64,
    /// Of the cheapest delivery option, after discounts on delivery; none: no option yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<i64>,
    pub tax: i64,
    pub total: i64,
}
