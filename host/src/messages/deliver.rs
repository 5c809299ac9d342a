//! Due messages: render, hand over, settle.

use tokio_util::sync::CancellationToken;

use super::Courier;
use crate::store::StoreError;

impl Courier {
    /// Hands over all messages that are due; gives the instant (UTC milliseconds) of the next one.
    pub async fn step(&self) -> Result<Option<i64>, StoreError> {
        todo!()
    }

    /// Loops over [`Courier::step`] until it is told to stop: woken by the store, by the next due time,
    /// and by a poll as the fallback. Finishes the message it holds.
    pub async fn run(&self, shutdown: CancellationToken) {
        let _ = shutdown;
        todo!()
    }
}
