//! A customer, as far as a plugin may know one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wasmtime::component::{ComponentType, Lift, Lower};

use super::cart::Buyer;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct PastOrder {
    pub id: String,
    #[component(name = "placed-at")]
    #[serde(with = "super::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub placed_at: i64,
    pub currency: String,
    pub total: i64,
    #[serde(default)]
    pub products: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct Consent {
    /// `email`, `sms`, `push`.
    pub channel: String,
    /// `marketing`, `updates`.
    pub category: String,
    #[serde(default)]
    pub granted: bool,
}

/// A customer as a plugin may know one: never a surname, street, e-mail, phone or tax number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct Customer {
    pub id: String,
    #[component(name = "first-name")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// IANA time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    pub buyer: Buyer,
    #[component(name = "created-at")]
    #[serde(with = "super::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: i64,
    #[component(name = "first-order-at")]
    #[serde(default, skip_serializing_if = "Option::is_none", with = "super::instant::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub first_order_at: Option<i64>,
    #[component(name = "orders-count")]
    pub orders_count: u32,
    /// Sum of the totals of orders placed in the shop's currency.
    pub spent: i64,
    /// The newest, newest first, 20 at most.
    #[serde(default)]
    pub orders: Vec<PastOrder>,
    pub points: i64,
    /// What the loyalty plugin set as the label `tier`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    #[serde(default)]
    pub consents: Vec<Consent>,
}
