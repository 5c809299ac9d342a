//! What a storefront is answered: finished texts, formatted money, stable ids.

use serde::Serialize;
use utoipa::ToSchema;

use super::explain::Explanation;
use crate::domain::{Arrival, CodeReason, PickupPoint, Totals};

/// The answer to a decision hook. A section that the hook does not have is empty.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Answer {
    /// The language of the texts: one of the shop's.
    pub locale: String,
    /// ISO 4217, of all amounts that name no other.
    pub currency: String,
    /// Decimal places of the currency.
    pub exponent: u8,
    pub delivery_options: Vec<OfferedDelivery>,
    pub discounts: Vec<AppliedDiscount>,
    /// `product-page`, `cart` and `checkout` have them; `order-status` does not.
    #[serde(skip_serializing_if = "Option::is_none")]
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
    /// Plugins that were left out or stood in for by an older answer. Details are told to a secret key only.
    pub warnings: Vec<Warning>,
    /// Until when the answer holds, e.g. the next cut-off.
    #[schema(value_type = String, format = DateTime)]
    #[serde(with = "crate::domain::instant")]
    pub valid_until: i64,
    /// With `?explain=true` and a secret key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explain: Option<Explanation>,
}

/// An amount in minor units, and as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Amount {
    pub amount: i64,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OfferedDelivery {
    /// `<plugin>/<the plugin's id>`, or `fallback/<id>`.
    pub id: String,
    /// None: an option of the shop's own `[[fallback]]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `home`, `work`, `locker`, `pickup-point`, `post`, `store`, `digital`.
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// The delivery group it is for; none: the whole cart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// After discounts on delivery.
    pub price: Amount,
    /// Before them.
    pub full_price: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrival: Option<Arrival>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrival_text: Option<String>,
    /// Ordering by then keeps the arrival.
    #[serde(with = "crate::domain::instant::option", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub order_before: Option<i64>,
    /// E.g. `today, 14:00`, in the shopper's zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_before_text: Option<String>,
    pub pickup_points: Vec<PickupPoint>,
    /// Send it back with the order: it carries the promise. Only `checkout` gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AppliedDiscount {
    /// `<plugin>/<the plugin's id>`, or `coupon/<code>`.
    pub id: String,
    /// None: a coupon that this host issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    pub title: String,
    pub class: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// On goods: what it takes off. On delivery: what it takes off the delivery of `totals`.
    pub amount: Amount,
    /// What it takes off each line, or off delivery; sums to `amount` exactly.
    pub allocations: Vec<Allocation>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Allocation {
    /// A line's id, or `delivery`.
    pub target: String,
    pub amount: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShownTotals {
    #[serde(flatten)]
    pub totals: Totals,
    pub subtotal_text: String,
    pub discount_text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_text: Option<String>,
    pub tax_text: String,
    pub total_text: String,
    pub lines: Vec<LineTotals>,
}

/// What becomes of one line of the cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LineTotals {
    pub id: String,
    /// Before discounts.
    pub subtotal: i64,
    pub discount: i64,
    /// After discounts; contained in `total` when the cart's prices include tax.
    pub tax: i64,
    /// After discounts; with tax only when the cart's prices include it.
    pub total: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShownPayment {
    pub id: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShownRecommendation {
    /// `<plugin>/<product>`.
    pub id: String,
    pub plugin: String,
    pub product: String,
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    pub price: Amount,
    /// Of the price.
    pub currency: String,
    /// Why, for the shopper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub placement: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShownNotice {
    pub id: String,
    pub plugin: String,
    pub text: String,
    /// `info`, `success`, `warning`.
    pub severity: String,
    pub placement: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShownBlock {
    pub id: String,
    pub plugin: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    pub placement: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShownRefusal {
    /// `<plugin>/<code>/<target>`.
    pub id: String,
    pub plugin: String,
    pub code: String,
    /// A line's id, `cart`, `delivery` or `payment`.
    pub target: String,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShownCode {
    pub code: String,
    pub status: CodeStatus,
    /// Why it does not help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<CodeReason>,
    /// The same for the shopper, in their language and zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What became of an entered code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CodeStatus {
    /// It takes something off.
    Applied,
    /// It is good, but not for this cart: too small, another currency, or another discount excludes it.
    NotApplied,
    Expired,
    /// Used up, held by other carts, or another customer's.
    Used,
    Unknown,
}

impl CodeStatus {
    #[must_use]
    pub fn of(reason: CodeReason) -> Self {
        match reason {
            CodeReason::Unknown => Self::Unknown,
            CodeReason::Expired => Self::Expired,
            CodeReason::UsedUp | CodeReason::Reserved | CodeReason::AnotherCustomer => Self::Used,
            CodeReason::BelowMinimum | CodeReason::WrongCurrency | CodeReason::Excluded => Self::NotApplied,
        }
    }
}

/// How whole a section is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Completeness {
    /// Every plugin answered in time.
    Complete,
    /// A plugin was left out, or an older answer stands in for it.
    Partial,
    /// A plugin was left out without which the merchant does not want the section shown (`on_late = "fail"`).
    Failed,
}

/// How whole each section is; a section that the hook does not have is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Sections {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discounts: Option<Completeness>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_options: Option<Completeness>,
    /// Payments, refusals, and changes of delivery options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<Completeness>,
    /// Recommendations, notices and blocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Completeness>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Warning {
    pub plugin: String,
    /// `pricing`, `delivery`, `review`, `content`.
    pub stage: String,
    /// `err`, `trap`, `late`, `limit`, `busy` (no slot was free), `breaker-open` (it failed too often and is left
    /// alone for a while), `host`.
    pub kind: String,
    pub message: String,
}

/// What fills a mail beside its text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MessageContent {
    pub recommendations: Vec<ShownRecommendation>,
    pub notices: Vec<ShownNotice>,
    pub blocks: Vec<ShownBlock>,
}
