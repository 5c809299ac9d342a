//! What the shopper was shown, as it is signed and as it is kept with the order.

use serde::{Deserialize, Serialize};

use super::Arrival;

/// Its names are short, because it travels with the cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    #[serde(rename = "s")]
    pub shop: String,
    #[serde(rename = "c")]
    pub cart: String,
    /// Stable id of the delivery option.
    #[serde(rename = "o")]
    pub option: String,
    /// As it read in the shopper's language.
    #[serde(rename = "t")]
    pub title: String,
    /// After discounts on delivery, minor units.
    #[serde(rename = "p")]
    pub price: i64,
    #[serde(rename = "u")]
    pub currency: String,
    #[serde(rename = "e")]
    pub exponent: u8,
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub arrival: Option<Arrival>,
    /// UTC milliseconds; an order placed later has no claim to it.
    #[serde(rename = "x")]
    pub expires: i64,
    /// Plugins that made the option or changed its price; empty: the shop's own fallback.
    #[serde(rename = "b", default, skip_serializing_if = "Vec::is_empty")]
    pub contributors: Vec<String>,
}
