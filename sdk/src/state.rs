//! The plugin's own memory: keys and texts, in the shop, or for the customer or the order of the
//! call. Reading needs the grant `state`, writing `state-write`; in a decision it can only be read.
//!
//! ```no_run
//! # use cartwright_sdk::prelude::*;
//! state::customer().add("orders", 1);
//! let seen = state::shop().number("popular/mug");
//! ```

use crate::raw;
use crate::types::Scope;

/// Keys of one scope.
#[derive(Debug, Clone, Copy)]
pub struct Keys(Scope);

/// The plugin's keys in this shop.
pub fn shop() -> Keys {
    Keys(Scope::Shop)
}

/// The plugin's keys for the customer of this call.
pub fn customer() -> Keys {
    Keys(Scope::Customer)
}

/// The plugin's keys for the order of this call.
pub fn order() -> Keys {
    Keys(Scope::Order)
}

impl Keys {
    /// The text under a key.
    pub fn get(self, key: &str) -> Option<String> {
        raw::state::get(self.0, key)
    }

    /// The number under a key, as [`add`](Self::add) keeps it; 0 when there is none.
    pub fn number(self, key: &str) -> i64 {
        self.get(key).and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// Several at once, in the order asked.
    pub fn get_many<S: AsRef<str>>(self, keys: impl IntoIterator<Item = S>) -> Vec<Option<String>> {
        let keys: Vec<String> = keys.into_iter().map(|key| key.as_ref().to_owned()).collect();
        if keys.is_empty() {
            return Vec::new();
        }
        raw::state::get_many(self.0, &keys)
    }

    /// Keys that begin with `prefix`, in order, with their texts.
    pub fn list(self, prefix: &str, limit: u32) -> Vec<(String, String)> {
        raw::state::list(self.0, prefix, limit)
    }

    /// Keeps a text under a key.
    pub fn put(self, key: &str, value: &str) {
        raw::state_write::put(self.0, key, value);
    }

    /// Forgets a key.
    pub fn delete(self, key: &str) {
        raw::state_write::delete(self.0, key);
    }

    /// Adds to the number under a key. Two calls at once both count: prefer it to reading and putting.
    pub fn add(self, key: &str, amount: i64) {
        raw::state_write::add(self.0, key, amount);
    }
}
