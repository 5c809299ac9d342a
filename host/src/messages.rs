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
mod sample;
mod view;
mod voice;

use std::sync::Arc;

use crate::decide::Decider;
use crate::domain::Clock;
use crate::messages::channels::Channel;
use crate::plugins::registry::Registry;
use crate::store::Store;

/// Hands over messages when they are due. Cheap to clone.
#[derive(Clone)]
pub struct Courier {
    pub registry: Arc<Registry>,
    pub store: Store,
    pub clock: Clock,
    /// Asks the plugins for what fills a mail beside its text (`content`, page `message`).
    pub decider: Decider,
    /// One for each way to a person, e.g. [`channels::outbox::Outbox`].
    pub channels: Vec<Arc<dyn Channel>>,
}
