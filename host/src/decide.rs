//! How the plugins' answers become one answer.

pub mod answer;
mod cart;
mod coupons;
pub mod explain;
mod fallback;
mod last_good;
pub mod merge;
pub mod quote;
pub mod stages;
pub mod totals;

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

pub use answer::{Answer, MessageContent};

use crate::domain::{Cart, Clock, DecisionHook};
use crate::plugins::registry::{LiveShop, Registry, Snapshot};
use crate::store::Store;

/// A question of a storefront, authenticated and parsed.
pub struct Question {
    pub hook: DecisionHook,
    /// Pinned for the whole question.
    pub snapshot: Arc<Snapshot>,
    /// Of the same snapshot.
    pub shop: Arc<LiveShop>,
    /// Asked with a secret key. Without one, an order is shown only to its own customer, and warnings
    /// tell no details.
    pub secret: bool,
    /// A product page has a cart of one line; without a cart the host makes one of `product`.
    pub cart: Option<Cart>,
    pub product: Option<String>,
    pub order_id: Option<String>,
    /// Named by a secret key or by a customer token.
    pub customer_id: Option<String>,
    /// BCP 47 or Accept-Language.
    pub locale: Option<String>,
    /// IANA; the customer's, else the shop's.
    pub zone: Option<String>,
    /// Ids of products looked at, newest first.
    pub viewed: Vec<String>,
    /// Only a secret key may ask for it; the caller checks.
    pub explain: bool,
    pub request_id: String,
}

/// One thing that is wrong with a question, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, thiserror::Error)]
#[error("{field}: {what}")]
pub struct FieldProblem {
    /// E.g. `cart.lines[2].quantity`.
    pub field: String,
    /// What is wrong and what to do.
    pub what: String,
}

/// Why there is no answer; all else is an answer with warnings.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// Never empty.
    #[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid { problems: Vec<FieldProblem> },
    #[error("no order `{0}`")]
    NoSuchOrder(String),
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

/// Answers decision hooks. Cheap to clone.
#[derive(Clone)]
pub struct Decider {
    registry: Arc<Registry>,
    store: Store,
    clock: Clock,
    quote_key: Arc<[u8; 32]>,
}

impl Decider {
    /// `quote_key` signs quotes.
    #[must_use]
    pub fn new(registry: Arc<Registry>, store: Store, clock: Clock, quote_key: Arc<[u8; 32]>) -> Self {
        Self { registry, store, clock, quote_key }
    }

    pub async fn decide(&self, question: Question) -> Result<Answer, DecideError> {
        let _ = (question, &self.registry, &self.store, &self.clock, &self.quote_key);
        todo!()
    }

    /// What fills a mail beside its text: `content` with page `message`. Plugins that fail are left out.
    pub async fn message_content(
        &self,
        snapshot: &Arc<Snapshot>,
        shop: &Arc<LiveShop>,
        customer_id: Option<&str>,
        order_id: Option<&str>,
        locale: Option<&str>,
    ) -> Result<MessageContent, DecideError> {
        let _ = (snapshot, shop, customer_id, order_id, locale);
        todo!()
    }
}
