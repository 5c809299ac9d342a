//! Texts for shoppers, rendered by the host.

use serde::{Deserialize, Serialize};
use wasmtime::component::{ComponentType, Lift, Lower};

/// A value in a text or a template. `text` is the key of one of the plugin's own texts;
/// `coupon` is the handle that `coupons.issue` gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower)]
#[component(variant)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum Value {
    #[component(name = "text")]
    Text(String),
    #[component(name = "string")]
    String(String),
    #[component(name = "int")]
    Int(i64),
    #[component(name = "money")]
    Money(i64),
    #[component(name = "instant")]
    Instant(i64),
    #[component(name = "date")]
    Date(String),
    #[component(name = "url")]
    Url(String),
    #[component(name = "products")]
    Products(Vec<String>),
    #[component(name = "coupon")]
    Coupon(u32),
}

/// A text for shoppers: the host renders `key` of the plugin's Fluent texts in their language.
/// `fallback` is shown when no language has the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Text {
    pub key: String,
    #[serde(default)]
    pub args: Vec<(String, Value)>,
    pub fallback: String,
}
