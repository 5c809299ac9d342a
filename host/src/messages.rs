//! How a message reaches a person.

use std::path::PathBuf;
use std::sync::Arc;

use crate::decide::Decider;
use crate::domain::Clock;
use crate::plugins::registry::Registry;
use crate::store::{Store, StoreError};

/// Hands over messages when they are due. Cheap to clone.
#[derive(Clone)]
pub struct Courier {
    pub registry: Arc<Registry>,
    pub store: Store,
    pub clock: Clock,
    /// Asks the plugins for what fills a mail beside its text (`content`, page `message`).
    pub decider: Decider,
    /// The folder that the `.eml` channel writes to.
    pub outbox: PathBuf,
}

impl Courier {
    /// Hands over all messages that are due; gives the instant (UTC milliseconds) of the next one.
    pub async fn step(&self) -> Result<Option<i64>, StoreError> {
        todo!()
    }
}
