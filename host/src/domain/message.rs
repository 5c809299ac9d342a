//! Something to tell the customer, and coupons.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wasmtime::component::{ComponentType, Lift, Lower};

use super::text::Value;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Message {
    /// File name in the plugin's own templates, without its extension.
    pub template: String,
    #[serde(default)]
    pub data: Vec<(String, Value)>,
    /// `transactional`, `updates`, `marketing`.
    pub category: String,
    /// In order of preference; empty: e-mail.
    #[serde(default)]
    pub channels: Vec<String>,
    /// Not before; none: now.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "super::instant::option")]
    pub when: Option<i64>,
    /// Dropped, with a reason, when it could not be sent by then.
    #[component(name = "not-after")]
    #[serde(default, skip_serializing_if = "Option::is_none", with = "super::instant::option")]
    pub not_after: Option<i64>,
    /// A second message of this plugin, shop and customer with this key is not sent.
    #[component(name = "dedupe-key")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dedupe_key: Option<String>,
    /// Event hooks of the same order that cancel it while it waits, e.g. `order-cancelled`.
    #[component(name = "cancel-on")]
    #[serde(default)]
    pub cancel_on: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(variant)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum CouponValue {
    /// Basis points of the order.
    #[component(name = "percent")]
    Percent(u32),
    #[component(name = "amount")]
    Amount(i64),
    #[component(name = "free-delivery")]
    FreeDelivery,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Coupon {
    pub value: CouponValue,
    /// Letters before the unguessable part; empty for none.
    pub prefix: String,
    #[component(name = "expires-at")]
    #[serde(default, skip_serializing_if = "Option::is_none", with = "super::instant::option")]
    pub expires_at: Option<i64>,
    /// 1 = single use.
    #[component(name = "max-uses")]
    pub max_uses: u32,
    #[component(name = "min-subtotal")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_subtotal: Option<i64>,
    /// Only the customer of this event may use it.
    #[serde(default)]
    pub personal: bool,
    /// A second coupon of this plugin and customer with this purpose is the first one again.
    pub purpose: String,
}
