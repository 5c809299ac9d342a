//! The shop, as shown to shoppers and plugins.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wasmtime::component::{ComponentType, Lift, Lower};

/// How a shopper reaches the shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct ShopContact {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower, ToSchema)]
#[component(record)]
pub struct Shop {
    pub id: String,
    pub name: String,
    pub url: String,
    pub currency: String,
    pub exponent: u8,
    /// The first is the default.
    #[serde(default)]
    pub locales: Vec<String>,
    pub zone: String,
    pub country: String,
    pub contact: ShopContact,
}
