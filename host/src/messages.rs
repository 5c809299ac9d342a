//! How a message reaches a person.

pub mod channels;
mod deliver;
mod facts;
mod links;
mod pieces;
mod plain;
pub mod policy;
pub mod preview;
pub mod render;
mod rounds;
mod sample;
mod unsubscribe;
mod view;
mod voice;

use std::sync::Arc;
use std::time::Duration;

use crate::decide::Decider;
use crate::domain::Clock;
use crate::messages::channels::Channel;
use crate::plugins::registry::{Registry, Snapshot};
use crate::store::Store;

/// What is live: the [`Registry`] but in tests.
pub trait Live: Send + Sync {
    fn current(&self) -> Arc<Snapshot>;
}

impl Live for Registry {
    fn current(&self) -> Arc<Snapshot> {
        Registry::current(self)
    }
}

/// Hands over messages when they are due. Cheap to clone.
#[derive(Clone)]
pub struct Courier {
    pub live: Arc<dyn Live>,
    pub store: Store,
    pub clock: Clock,
    /// Asks the plugins for what fills a mail beside its text (`content`, page `message`).
    pub decider: Decider,
    /// One for each way to a person, e.g. [`channels::outbox::Outbox`].
    pub channels: Vec<Arc<dyn Channel>>,
    /// Messages at once.
    pub concurrent: usize,
    /// A message that is being handed over belongs to its courier so long.
    pub handing: Duration,
    /// Makes the tokens of unsubscribe links.
    pub unsubscribe_key: Arc<[u8; 32]>,
}
