//! The last good answers of plugins, for `on_late = "last-good"`.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::domain::{Effect, Hook};
use crate::plugins::call::{Input, Surroundings};

/// Effects kept, over all shops.
const MOST_EFFECTS: u64 = 50_000;

/// Older answers stand in for nothing: stock, prices and cut-offs have moved on.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Bounded. A new snapshot asks under a new generation, so what an older one kept is never found again.
#[derive(Clone)]
pub struct LastGood {
    answers: Cache<Key, Arc<Vec<Effect>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub generation: u64,
    pub shop: String,
    pub plugin: String,
    pub stage: Hook,
    pub question: Fingerprint,
}

/// Of all that a plugin may see of a question but time, chance, and the other plugins' offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Default for LastGood {
    fn default() -> Self {
        let answers = Cache::builder()
            .max_capacity(MOST_EFFECTS)
            .weigher(|_, effects: &Arc<Vec<Effect>>| {
                u32::try_from(effects.len()).unwrap_or(u32::MAX).saturating_add(1)
            })
            .time_to_live(LIFETIME)
            .build();
        Self { answers }
    }
}

impl LastGood {
    pub fn keep(&self, key: Key, effects: &[Effect]) {
        self.answers.insert(key, Arc::new(effects.to_vec()));
    }

    pub fn find(&self, key: &Key) -> Option<Arc<Vec<Effect>>> {
        self.answers.get(key)
    }
}

impl Fingerprint {
    #[must_use]
    pub fn of(
        input: &Input,
        surroundings: &Surroundings,
        customer_id: Option<&str>,
        order_id: Option<&str>,
    ) -> Self {
        #[derive(Serialize)]
        struct Question<'a> {
            cart: Option<&'a crate::domain::Cart>,
            page: Option<&'a str>,
            product: Option<&'a str>,
            hook: &'a str,
            locale: &'a str,
            zone: &'a str,
            viewed: &'a [String],
            customer: Option<&'a crate::domain::Customer>,
            customer_id: Option<&'a str>,
            order: Option<&'a crate::domain::Order>,
            order_id: Option<&'a str>,
        }
        let (cart, page, product) = match input {
            Input::Cart(cart) => (Some(cart.as_ref()), None, None),
            Input::Content { page, cart, product } => {
                (cart.as_deref(), Some(page.as_str()), product.as_deref())
            }
            _ => (None, None, None),
        };
        let question = Question {
            cart,
            page,
            product,
            hook: &surroundings.hook_name,
            locale: &surroundings.locale,
            zone: &surroundings.zone,
            viewed: &surroundings.viewed,
            customer: surroundings.customer.as_deref(),
            customer_id,
            order: surroundings.order.as_deref(),
            order_id,
        };
        let text = serde_json::to_vec(&question).unwrap_or_default();
        Self(Sha256::digest(text).into())
    }
}
