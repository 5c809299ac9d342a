//! How the plugins' answers become one answer.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{Arrival, Cart, Clock, DecisionHook, PickupPoint, Totals};
use crate::plugins::registry::{LiveShop, Registry};
use crate::store::Store;

/// A question of a storefront, authenticated and parsed.
pub struct Question {
    pub hook: DecisionHook,
    pub shop: Arc<LiveShop>,
    /// A product page has a cart of one line.
    pub cart: Option<Cart>,
    pub product: Option<String>,
    pub order_id: Option<String>,
    /// Named by a secret key or by a customer token.
    pub customer_id: Option<String>,
    /// BCP 47 or Accept-Language.
    pub locale: Option<String>,
    /// IANA; the customer's, else the shop's.
    pub zone: Option<String>,
    pub viewed: Vec<String>,
    pub explain: bool,
    pub request_id: String,
}

/// The answer: finished texts, formatted money, stable ids.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Answer {
    pub locale: String,
    pub currency: String,
    pub delivery_options: Vec<OfferedDelivery>,
    pub discounts: Vec<AppliedDiscount>,
    pub totals: Option<ShownTotals>,
    pub payments: Vec<ShownPayment>,
    pub recommendations: Vec<ShownRecommendation>,
    pub notices: Vec<ShownNotice>,
    pub blocks: Vec<ShownBlock>,
    /// Not empty: the shopper may not go on.
    pub refusals: Vec<ShownRefusal>,
    /// The codes entered, with what became of each.
    pub codes: Vec<ShownCode>,
    pub sections: Sections,
    /// Plugins that were left out, for the shop's eyes; no detail for a publishable key.
    pub warnings: Vec<Warning>,
    /// Until when the answer holds, e.g. the next cut-off; RFC 3339.
    #[schema(value_type = String, format = DateTime)]
    #[serde(with = "crate::domain::instant")]
    pub valid_until: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub explain: Option<serde_json::Value>,
}

/// An amount in minor units, and as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Amount {
    pub amount: i64,
    pub text: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OfferedDelivery {
    pub id: String,
    pub plugin: Option<String>,
    pub title: String,
    pub description: Option<String>,
    pub kind: String,
    pub carrier: Option<String>,
    pub group: Option<String>,
    /// After discounts on delivery.
    pub price: Amount,
    /// Before them.
    pub full_price: Amount,
    pub arrival: Option<Arrival>,
    pub arrival_text: Option<String>,
    #[serde(with = "crate::domain::instant::option", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub order_before: Option<i64>,
    pub pickup_points: Vec<PickupPoint>,
    /// Send it back with the order: it carries the promise.
    pub quote: Option<String>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AppliedDiscount {
    pub id: String,
    pub plugin: Option<String>,
    pub title: String,
    pub class: String,
    pub code: Option<String>,
    pub amount: Amount,
    /// What it takes off each line; sums to `amount` exactly.
    pub allocations: Vec<Allocation>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Allocation {
    /// A line's id, or `delivery`.
    pub target: String,
    pub amount: i64,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ShownTotals {
    #[serde(flatten)]
    pub totals: Totals,
    pub total_text: String,
    pub discount_text: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ShownPayment {
    pub id: String,
    pub name: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ShownRecommendation {
    pub id: String,
    pub plugin: String,
    pub product: String,
    pub title: String,
    pub url: Option<String>,
    pub image: Option<String>,
    pub price: Amount,
    pub reason: Option<String>,
    pub placement: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ShownNotice {
    pub id: String,
    pub plugin: String,
    pub text: String,
    pub severity: String,
    pub placement: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ShownBlock {
    pub id: String,
    pub plugin: String,
    pub title: Option<String>,
    pub body: String,
    pub link: Option<String>,
    pub link_title: Option<String>,
    pub image: Option<String>,
    pub placement: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ShownRefusal {
    pub id: String,
    pub plugin: String,
    pub code: String,
    pub target: String,
    pub text: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ShownCode {
    pub code: String,
    /// `applied`, `not-applied`, `expired`, `used`, `unknown`.
    pub status: String,
}

/// How whole each section is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Completeness {
    Complete,
    Partial,
    Failed,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Sections {
    pub delivery_options: Completeness,
    pub discounts: Completeness,
    pub content: Completeness,
    pub review: Completeness,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Warning {
    pub plugin: String,
    pub stage: String,
    pub message: String,
}

/// Why there is no answer; all else is an answer with warnings.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    #[error("{0}")]
    Invalid(String),
    #[error("no order `{0}`")]
    NoSuchOrder(String),
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

/// Answers decision hooks.
#[derive(Clone)]
pub struct Decider {
    pub registry: Arc<Registry>,
    pub store: Store,
    pub clock: Clock,
    /// Signs quotes; 32 bytes.
    pub quote_key: Arc<[u8; 32]>,
}

impl Decider {
    pub async fn decide(&self, question: Question) -> Result<Answer, DecideError> {
        let _ = question;
        todo!()
    }
}
