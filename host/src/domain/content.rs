//! What fills a page or a mail beside the goods.

use serde::{Deserialize, Serialize};
use wasmtime::component::{ComponentType, Lift, Lower};

use super::text::Text;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Recommendation {
    pub product: String,
    /// Why, for the shopper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
    /// Where: `main`, `footer`, or the page's own name for a place.
    pub placement: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Notice {
    pub id: String,
    pub text: Text,
    /// `info`, `success`, `warning`.
    pub severity: String,
    pub placement: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Block {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Text>,
    pub body: Text,
    /// Only to the shop's own and granted hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    #[component(name = "link-title")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_title: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    pub placement: String,
}
