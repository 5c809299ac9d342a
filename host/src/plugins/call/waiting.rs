//! How long a call has been waiting for the store. One that is late meanwhile is not to blame for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::domain::{Product, ReadError, Reads, StateOwner, Versioned};

/// What a call reads.
pub(super) struct Waiting {
    reads: Arc<dyn Reads>,
    /// Since when its question has no answer; a guest asks one at a time.
    open: Mutex<Option<Instant>>,
}

/// A question without an answer.
struct Open<'a>(&'a Waiting);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

impl Waiting {
    pub(super) fn new(reads: Arc<dyn Reads>) -> Self {
        Self { reads, open: Mutex::new(None) }
    }

    /// For the answer to one question. To be asked before the call is dropped.
    pub(super) fn since(&self) -> Duration {
        let open = *self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.map_or(Duration::ZERO, |asked| asked.elapsed())
    }

    fn ask(&self) -> Open<'_> {
        self.set(Some(Instant::now()));
        Open(self)
    }

    fn set(&self, open: Option<Instant>) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = open;
    }
}

#[async_trait]
impl Reads for Waiting {
    async fn products(&self, shop: &str, ids: &[String]) -> Result<Vec<Option<Arc<Product>>>, ReadError> {
        let _open = self.ask();
        self.reads.products(shop, ids).await
    }

    async fn related(&self, shop: &str, product: &str, limit: u32) -> Result<Vec<String>, ReadError> {
        let _open = self.ask();
        self.reads.related(shop, product, limit).await
    }

    async fn field(&self, shop: &str, product: &str, key: &str) -> Result<Option<String>, ReadError> {
        let _open = self.ask();
        self.reads.field(shop, product, key).await
    }

    async fn state(&self, owner: &StateOwner, keys: &[String]) -> Result<Vec<Versioned>, ReadError> {
        let _open = self.ask();
        self.reads.state(owner, keys).await
    }

    async fn state_list(
        &self,
        owner: &StateOwner,
        prefix: &str,
        limit: u32,
    ) -> Result<Vec<(String, Versioned)>, ReadError> {
        let _open = self.ask();
        self.reads.state_list(owner, prefix, limit).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::code::Nothing;

    #[test]
    fn only_a_question_that_is_open_counts() {
        let waiting = Waiting::new(Arc::new(Nothing));
        assert_eq!(waiting.since(), Duration::ZERO);
        let open = waiting.ask();
        while waiting.since() == Duration::ZERO {
            std::hint::spin_loop();
        }
        drop(open);
        assert_eq!(waiting.since(), Duration::ZERO, "it was answered, or dropped");
    }
}
